export type StreamEvent = { readonly name: string; readonly data: string }

/** Longer than any server of this wire sends in one event. */
const eventLengthMax = 2 * 1_048_576

/** Takes a stream's text as it comes, cut anywhere, and tells each event when it is whole. Throws when one never ends. */
export function makeEventParser(hear: (event: StreamEvent) => void): (text: string) => void {
  let rest = ''
  let name = ''
  let data: string[] = []
  let length = 0

  const take = (line: string): void => {
    if (line === '') {
      if (name !== '' && data.length > 0) hear({ name, data: data.join('\n') })
      name = ''
      data = []
      length = 0
      return
    }
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))
    length += value.length
    if (length > eventLengthMax) throw new Error('an event of the stream is too large')
    if (field === 'event') name = value
    else if (field === 'data') data.push(value)
  }

  return (text) => {
    rest += text
    // A carriage return at the very end may be half of a line's end.
    const safe = rest.endsWith('\r') ? rest.length - 1 : rest.length
    let start = 0
    const ends = /\r\n|\r|\n/g
    for (let end = ends.exec(rest); end && end.index < safe; end = ends.exec(rest)) {
      take(rest.slice(start, end.index))
      start = end.index + end[0].length
    }
    rest = rest.slice(start)
    if (rest.length > eventLengthMax) throw new Error('a line of the stream is too large')
  }
}

/** `team=billing` as people write tags; the value may hold anything, also another equals sign. */
export function readTags(written: readonly string[]): Readonly<Record<string, string>> | null {
  if (written.length === 0) return null
  return Object.fromEntries(
    written.map((one) => {
      const at = one.indexOf('=')
      return at < 0 ? [one.trim(), ''] : [one.slice(0, at).trim(), one.slice(at + 1).trim()]
    }),
  )
}

export function writeTags(tags: Readonly<Record<string, string>> | null): readonly string[] {
  return Object.entries(tags ?? {}).map(([name, value]) => `${name}=${value}`)
}

/** What is wrong with tags as they are written, in words; undefined when nothing is. */
export function faultOfTags(written: readonly string[]): string | undefined {
  const faulty = written.find((one) => one.indexOf('=') < 1)
  if (faulty !== undefined) return `Write ${faulty} as name=value.`
  const names = written.map((one) => one.slice(0, one.indexOf('=')).trim())
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  return twice === undefined ? undefined : `${twice} is there twice; a tag has one value.`
}

import { createReadStream } from 'node:fs'
import {
  type ExportLine,
  NotAnExport,
  type RecordedHead,
  readExportLine,
  startVerification,
  type Verifier,
} from '@countersign/trail'
import { faultsMax, makeReport, type OtherFault, type Report } from './report.ts'

/** Verifies an export: no database, no network, nobody to be trusted but the heads given. */
export async function verifyExport(path: string, heads: readonly RecordedHead[]): Promise<Report> {
  const others: OtherFault[] = []
  let otherCount = 0
  let verifier: Verifier | undefined
  let size = 0
  let lineNumber = 0
  for await (const line of readLines(path)) {
    lineNumber++
    try {
      const read = readExportLine(line)
      if (verifier === undefined) {
        if (read.is !== 'log')
          throw new NotAnExport('The first line of an export tells where it begins; this is another.')
        verifier = startVerification({ from: read.from, heads, faultsMax })
        size = read.from.size
        continue
      }
      size = take(verifier, read, size)
    } catch (cause) {
      if (!(cause instanceof NotAnExport || cause instanceof RangeError)) throw cause
      if (verifier === undefined) throw new Error(`${path} is not an export of a trail: ${cause.message}`, { cause })
      otherCount++
      if (others.length < faultsMax)
        others.push({ is: 'unreadable', number: null, says: `Line ${lineNumber} was changed: ${cause.message}` })
    }
  }
  if (verifier === undefined) throw new Error(`${path} is empty, so it is not an export of a trail.`)
  return makeReport(verifier.finish(), { others, otherCount, headsGiven: heads.length, waiting: 0 })
}

/** Answers how many entries the log has up to here. */
function take(verifier: Verifier, line: ExportLine, size: number): number {
  switch (line.is) {
    case 'log':
      throw new NotAnExport('It begins a log in the middle of one.')
    case 'entry':
      verifier.add(line.entry)
      return Math.max(size, line.entry.number + 1)
    case 'head':
      // Anywhere else it could not be compared, and would look as if it had been.
      if (line.head.size !== size)
        throw new NotAnExport(`It is the head over ${line.head.size} entries but stands after ${size}.`)
      verifier.expectHeads([line.head])
      return size
  }
}

const lineEnd = 0x0a
/** An entry and what is around it, with room; a longer line is nothing we wrote. */
const lineBytesMax = 100_000

async function* readLines(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const bytes: Buffer = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    let start = 0
    for (let end = bytes.indexOf(lineEnd); end >= 0; end = bytes.indexOf(lineEnd, start)) {
      yield bytes.subarray(start, end)
      start = end + 1
    }
    rest = bytes.subarray(start)
    if (rest.length > lineBytesMax)
      throw new Error(`${path} is not an export of a trail: it has a line of more than ${lineBytesMax} bytes.`)
  }
  if (rest.length > 0) yield rest
}

import { readFile, stat } from 'node:fs/promises'
import { sha256 } from './crypto.ts'
import { GuardFailed } from './errors.ts'
import type { GuardProblem } from './guard-options.ts'
import { every } from './host.ts'

/** What a file says, kept up to date with it. */
export type FollowingFile<Loaded> = {
  readonly current: () => Loaded
  /** Whether what is enforced is what the file says at this moment. */
  readonly isCurrent: () => boolean
  readonly stop: () => void
}

type Needs<Loaded> = {
  readonly file: string | URL
  /** Throws when it cannot be enforced. `enforced` is what it would replace. */
  readonly load: (bytes: Uint8Array, enforced: Loaded | undefined) => Loaded
  readonly bytesMax: number
  readonly words: {
    /** Begins the sentence that says why no guard is made. */
    readonly unusable: string
    readonly kind: GuardProblem['kind']
  }
  readonly onProblem: (problem: GuardProblem) => void
}

const lookMs = 250
/** Looks at which the file must be the same before it is believed: whoever writes it may not be done. */
const looksSame = 2
/** The beginning of what is enforced is more likely a write that has come half-way than rules that somebody took out. */
const looksSamePiece = 12

/**
 * Enforces a file and every good edit of it. It is looked at by its name, so that a file renamed over it, or a link that is
 * changed, is an edit like any other. What does not load is told once, and what was enforced stays.
 */
export async function followFile<Loaded extends { readonly name: string; readonly hash: string }>({
  file,
  load,
  bytesMax,
  words,
  onProblem,
}: Needs<Loaded>): Promise<FollowingFile<Loaded>> {
  let enforced: { readonly loaded: Loaded; readonly bytes: Uint8Array }
  try {
    const bytes = await readFile(file)
    enforced = { loaded: load(bytes, undefined), bytes }
  } catch (cause) {
    throw new GuardFailed(`${words.unusable}: ${reasonOf(cause)}`, { cause })
  }
  // Not known until the first look: an edit between reading and looking must not pass for what was read.
  let settled = ''
  let seen = ''
  let looks = 0
  let toldOf = ''
  let isCurrent = true
  let isStopped = false
  let isLooking = false

  const tell = (what: string, cause: unknown): void => {
    isCurrent = false
    const { name, hash } = enforced.loaded
    const message = `${reasonOf(cause)} What was enforced stays: ${name}, ${hash.slice(0, 12)}.`
    if (toldOf === what) return
    toldOf = what
    onProblem({ kind: words.kind, message, cause })
  }

  const take = (bytes: Uint8Array): void => {
    const hash = sha256(bytes)
    try {
      if (hash !== enforced.loaded.hash) enforced = { loaded: load(bytes, enforced.loaded), bytes }
      isCurrent = true
      toldOf = ''
    } catch (cause) {
      tell(hash, cause)
    }
  }

  const look = async (): Promise<void> => {
    const found = await stat(file, { bigint: true })
    if (!found.isFile()) throw new Error('It is not a file any more')
    const { mtimeNs, ctimeNs, size, ino, dev } = found
    const mark = [mtimeNs, ctimeNs, size, ino, dev].join(' ')
    if (mark === settled && toldOf !== gone) return
    looks = mark === seen ? looks + 1 : 1
    seen = mark
    if (looks < looksSame) return
    // What is too large is refused by its size, and not read for that.
    const bytes = size > bytesMax ? new Uint8Array(bytesMax + 1) : await readFile(file)
    if (isStopped || (looks < looksSamePiece && isPieceOf(bytes, enforced.bytes))) return
    settled = mark
    take(bytes)
  }

  // A pipe is read once.
  const isFile = (await stat(file)).isFile()
  const stop = every(lookMs, () => {
    if (isLooking || !isFile) return
    isLooking = true
    look()
      .catch((cause: unknown) => {
        // Between two steps of a rename there may be no file for a moment.
        looks = seen === gone ? looks + 1 : 1
        seen = gone
        if (looks >= looksSame && !isStopped) tell(gone, cause)
      })
      .finally(() => {
        isLooking = false
      })
  })

  return {
    current: () => enforced.loaded,
    isCurrent: () => isCurrent,
    stop: () => {
      isStopped = true
      stop()
    },
  }
}

const gone = 'gone'

function isPieceOf(bytes: Uint8Array, whole: Uint8Array): boolean {
  return bytes.length < whole.length && Buffer.compare(bytes, whole.subarray(0, bytes.length)) === 0
}

function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.endsWith('.') ? text : `${text}.`
}

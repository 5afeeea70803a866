import { equalInConstantTime } from './crypto.ts'

/** Text that must not be seen: logs, JSON, templates and inspect print `[secret]`. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself, for the one place that must send or use it. */
  reveal(): string {
    return this.#text
  }

  matches(other: string): boolean {
    return equalInConstantTime(this.#text, other)
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}

export { escapeOddText, isOddText } from './odd-text.ts'
export { type Redacted, redact, redactText } from './redact.ts'
export { hideSecrets } from './secret-text.ts'

export { writeChecked } from './write-checked.ts'

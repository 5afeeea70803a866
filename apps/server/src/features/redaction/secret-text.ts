export const redacted = '[REDACTED]'

/** Every pattern below needs one of these; most texts have none, and are then left alone after one look. */
export const suspicious = /sk-|AKIA|eyJ|gh[pousr]_|xox|export\s|-p|:\/\/|[Bb]earer\s/

/** Shapes of secrets (rules-language §24.2). A text that begins with one is hidden whole, elsewhere only the secret is. */
const secretShape =
  /(?<![A-Za-z0-9_-])(?:sk-[A-Za-z0-9_-]{20,}|AKIA[A-Z0-9]{16}|eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_.-]*|gh[pousr]_[A-Za-z0-9]{36,}|xox[bpas]-[A-Za-z0-9-]{10,})/g

const exported = /\bexport\s{1,16}([A-Za-z_][A-Za-z0-9_]{0,255})=("[^"]*"|'[^']*'|[^\s"']+)/g
const secretName = /KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL/i
const passwordOption = /(^|\s)(-p(?:=|\s{1,16})|--password(?:=|\s{1,16}))("[^"]*"|'[^']*'|\S+)/g
/** These take the password without a space between; for other programs `-print` is no password. */
const attachedPassword = /(^|\s)-p([^\s=]+)/g
const takesAttached = /\b(?:mysql|mariadb)/
const inUrl = /(:\/\/[^\s:/@]{0,256}:)([^\s@/]{1,512})@/g
const bearer = /\b([Bb]earer\s{1,16})([A-Za-z0-9._~+/-]{16,}=*)/g

/** Hides what looks like a secret; answers the same text when nothing does. Linear in the length of the text. */
export function hideSecrets(text: string): string {
  if (!suspicious.test(text)) return text
  secretShape.lastIndex = 0
  if (secretShape.exec(text)?.index === 0) return redacted
  let hidden = text
    .replace(secretShape, redacted)
    .replace(exported, (whole, name: string) => (secretName.test(name) ? `export ${name}=${redacted}` : whole))
    .replace(passwordOption, (_whole, before: string, option: string) => `${before}${option}${redacted}`)
    .replace(inUrl, `$1${redacted}@`)
    .replace(bearer, `$1${redacted}`)
  if (takesAttached.test(text)) hidden = hidden.replace(attachedPassword, `$1-p${redacted}`)
  return hidden
}

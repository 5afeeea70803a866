export const passwordLengthMin = 12
const passwordLengthMax = 1024

/** What is wrong with a new password, or null. The server says the same; this says it sooner. */
export function passwordFault(password: string): string | null {
  const length = [...password].length
  if (length < passwordLengthMin) return `${passwordLengthMin - length} more characters are needed.`
  if (length > passwordLengthMax) return `At most ${passwordLengthMax} characters.`
  return null
}

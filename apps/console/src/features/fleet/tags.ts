type Tags = Readonly<Record<string, string>>

export function tagWords(tags: Tags): string {
  return Object.entries(tags)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')
}

/** `team=billing, region=eu` to tags, or what is wrong with it. A value may hold `=`, not a comma. */
export function readTags(words: string): { readonly tags: Tags; readonly mistake: string | undefined } {
  const tags: Record<string, string> = {}
  const parts = words
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  for (const part of parts) {
    const at = part.indexOf('=')
    const name = part.slice(0, at).trim()
    if (at < 1 || name === '') return { tags, mistake: `“${part}” needs the form name=value.` }
    if (Object.hasOwn(tags, name)) return { tags, mistake: `The tag ${name} is there twice.` }
    if (name.length > 128 || part.length - at - 1 > 256)
      return { tags, mistake: `The tag ${name.slice(0, 20)} is too long.` }
    tags[name] = part.slice(at + 1).trim()
  }
  return parts.length > 64 ? { tags, mistake: 'An agent has at most 64 tags.' } : { tags, mistake: undefined }
}

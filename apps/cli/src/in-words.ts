/** What went wrong, in one line for whoever typed the command. What the operating system says of a file is said plainer. */
export function inWords(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const { code, path } = cause as NodeJS.ErrnoException
  const words = code === undefined ? undefined : ofFiles[code]
  return words?.(path) ?? cause.message
}

const ofFiles: Readonly<Record<string, (path: string | undefined) => string | undefined>> = {
  ENOENT: (path) => path && `There is no ${path}.`,
  EACCES: (path) => path && `This user may not read or write ${path}.`,
  EISDIR: (path) =>
    path === undefined ? 'A folder was given where a file is wanted.' : `${path} is a folder; name a file.`,
  ENOTDIR: (path) => path && `There is no ${path}: something on the way to it is a file.`,
  ENOSPC: () => 'The disk is full; what was written is not whole.',
}

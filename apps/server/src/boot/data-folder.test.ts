import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { closedParent, openDataFolder } from './data-folder.ts'

let parent: string

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'countersign-folder-'))
})

afterEach(async () => {
  await rm(parent, { recursive: true })
})

test('a secret is made once, kept, and readable by its owner alone', async () => {
  const folder = await openDataFolder(join(parent, 'data'))
  expect(await folder.existingSecret('key')).toBeUndefined()
  expect(await folder.secret('key', () => 'first')).toBe('first')
  expect(await folder.secret('key', () => 'second')).toBe('first')
  expect(await folder.existingSecret('key')).toBe('first')
  expect((await stat(join(folder.secrets, 'key'))).mode & 0o777).toBe(0o600)
  expect((await stat(folder.secrets)).mode & 0o777).toBe(0o700)
})

test('many who make the same secret at once all get the same one, and leave nothing else behind', async () => {
  const folder = await openDataFolder(join(parent, 'data'))
  const made = await Promise.all(Array.from({ length: 20 }, (_, maker) => folder.secret('key', () => `of ${maker}`)))
  expect(new Set(made).size).toBe(1)
  expect(await readdir(folder.secrets)).toEqual(['key'])
})

test('a secret that a copy or a backup opened to others is closed again', async () => {
  const folder = await openDataFolder(join(parent, 'data'))
  await folder.secret('key', () => 'mine')
  await chmod(join(folder.secrets, 'key'), 0o644)
  await chmod(folder.secrets, 0o755)
  const again = await openDataFolder(join(parent, 'data'))
  expect(await again.secret('key', () => 'other')).toBe('mine')
  expect((await stat(join(folder.secrets, 'key'))).mode & 0o777).toBe(0o600)
  expect((await stat(folder.secrets)).mode & 0o777).toBe(0o700)
})

test('an empty secret is refused instead of being used or replaced', async () => {
  const folder = await openDataFolder(join(parent, 'data'))
  await writeFile(join(folder.secrets, 'key'), '\n')
  await expect(folder.secret('key', () => 'new')).rejects.toThrow(/key is empty; restore it from a backup/)
  expect(await readFile(join(folder.secrets, 'key'), 'utf8')).toBe('\n')
})

test('folders above that do not exist are made', async () => {
  const folder = await openDataFolder(join(parent, 'a', 'b', 'data'))
  expect(await folder.secret('key', () => 'x')).toBe('x')
})

test('a mount with lost+found and hidden files is as good as empty', async () => {
  await mkdir(join(parent, 'data', 'lost+found'), { recursive: true })
  await writeFile(join(parent, 'data', '.gitkeep'), '')
  expect((await openDataFolder(join(parent, 'data'))).path).toBe(join(parent, 'data'))
})

test('a folder of something else keeps its mode and is refused by what is in it', async () => {
  await mkdir(join(parent, 'data', 'photos'), { recursive: true })
  await chmod(join(parent, 'data'), 0o755)
  await expect(openDataFolder(join(parent, 'data'))).rejects.toThrow(/holds other things \(photos\)/)
  expect((await stat(join(parent, 'data'))).mode & 0o777).toBe(0o755)
  expect(await readdir(join(parent, 'data'))).toEqual(['photos'])
})

test('a file in place of the folder is named', async () => {
  await writeFile(join(parent, 'data'), '')
  await expect(openDataFolder(join(parent, 'data'))).rejects.toThrow(
    new RegExp(`${join(parent, 'data')} cannot be used`),
  )
})

test('a place where no folder can be is refused with what is wrong there and what to do', async () => {
  await writeFile(join(parent, 'file'), '')
  const remedy = 'set COUNTERSIGN_DATA_DIR to a folder of the user the server runs as'
  for (const [path, wrong] of [
    [join(parent, 'file'), 'is a file'],
    [join(parent, 'file', 'data'), 'is a file'],
    ['/proc/nodata', 'no folder can be made there'],
  ] as const) {
    await expect(openDataFolder(path)).rejects.toThrow(wrong)
    await expect(openDataFolder(path)).rejects.toThrow(remedy)
  }
})

test('a link to a folder is followed, so that paths of processes can be compared', async () => {
  await mkdir(join(parent, 'disk'))
  await symlink(join(parent, 'disk'), join(parent, 'data'))
  expect((await openDataFolder(join(parent, 'data'))).path).toBe(join(parent, 'disk'))
})

test('the first closed folder on the way is the one to open', async () => {
  await chmod(parent, 0o755)
  await mkdir(join(parent, 'a', 'b', 'c'), { recursive: true })
  expect(await closedParent(join(parent, 'a', 'b', 'c'))).toBeUndefined()
  await chmod(join(parent, 'a'), 0o700)
  await chmod(join(parent, 'a', 'b'), 0o700)
  expect(await closedParent(join(parent, 'a', 'b', 'c'))).toBe(join(parent, 'a'))
})

import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { readVariable } from '../../../server/src/boot/config.ts'
import { type ObjectStore, s3Store } from '../../../server/src/features/anchors/index.ts'
import type { Surroundings } from '../database-options.ts'

export type AnchorPlace = { readonly bucket: string; readonly chainId: string; readonly retentionDays: number }

type Env = Surroundings['env']

const read = (path: string): string => readFileSync(path, 'utf8')

/** Where the server of this environment anchors. */
export function anchorPlace(env: Env): AnchorPlace {
  const bucket = readVariable('anchorBucket', env, read)
  const chainId = readVariable('anchorChainId', env, read)
  if (bucket === undefined || chainId === undefined) {
    throw new Error(
      'Set COUNTERSIGN_ANCHOR_BUCKET and COUNTERSIGN_ANCHOR_CHAIN_ID as for the server, or give --folder with downloaded anchors.',
    )
  }
  return { bucket, chainId, retentionDays: readVariable('anchorRetentionDays', env, read) }
}

export function openStore(env: Env, bucket: string, patienceMs?: number): ObjectStore {
  const place = {
    bucket,
    region: readVariable('s3Region', env, read),
    endpoint: readVariable('s3Endpoint', env, read),
    accessKeyId: readVariable('s3AccessKeyId', env, read),
    secretAccessKey: readVariable('s3SecretAccessKey', env, read),
  }
  return s3Store(place, patienceMs === undefined ? {} : { patienceMs })
}

/** Anchors somebody downloaded; the folder lies where the bucket's top would. */
export async function readFolder(
  folder: string,
): Promise<readonly { readonly key: string; readonly bytes: Uint8Array }[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = found
    .filter((one) => one.isFile() && one.name.startsWith('anchor-'))
    .map((one) => join(one.parentPath, one.name))
  if (paths.length === 0) {
    throw new Error(
      `There are no anchors in ${folder}. Download the bucket into it, names kept: <chain>/2026/03/05/14/anchor-20260305T14.json.`,
    )
  }
  return Promise.all(
    paths
      .toSorted()
      .map(async (path) => ({ key: relative(folder, path).split(sep).join('/'), bytes: await readFile(path) })),
  )
}

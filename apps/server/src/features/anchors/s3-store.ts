import type * as Sdk from '@aws-sdk/client-s3'
import type { Secret } from '../../kernel/crypto.ts'
import { type ObjectStore, type ObjectVersion, type StoredObject, StoreFault } from './object-store.ts'

export type S3Place = {
  readonly bucket: string
  readonly region: string | undefined
  readonly endpoint: string | undefined
  readonly accessKeyId: string | undefined
  readonly secretAccessKey: Secret | undefined
}

type Opened = { readonly sdk: typeof Sdk; readonly client: Sdk.S3Client }

/** One request, its repetition included. A pass makes five of them and must not be taken for one that hangs. */
const answerMs = 7_000

/** Amazon S3, or whatever speaks it. Nothing is loaded before the first request. */
export function s3Store(place: S3Place, { patienceMs = answerMs } = {}): ObjectStore {
  let opening: Promise<Opened> | undefined

  const ask = async <Answer>(does: string, question: (opened: Opened, signal: AbortSignal) => Promise<Answer>) => {
    opening ??= open(place, patienceMs)
    try {
      return await question(await opening, AbortSignal.timeout(patienceMs))
    } catch (cause) {
      throw faultOf(cause, does, place)
    }
  }

  const read = (key: string, bytesMax: number, versionId?: string): Promise<StoredObject> =>
    ask(`s3:GetObject of ${key}`, async ({ sdk, client }, abortSignal) => {
      const asked = { Bucket: place.bucket, Key: key, ...(versionId !== undefined && { VersionId: versionId }) }
      const answer = await client.send(new sdk.GetObjectCommand(asked), { abortSignal })
      if ((answer.ContentLength ?? 0) > bytesMax || !answer.Body) {
        answer.Body?.transformToWebStream()
          .cancel()
          .catch(() => undefined)
        throw new StoreFault('unexpected', `The object ${key} has more than ${bytesMax} bytes: it is none of ours.`)
      }
      const bytes = await answer.Body.transformToByteArray()
      if (answer.ContentLength !== undefined && answer.ContentLength !== bytes.length) {
        throw new StoreFault('away', `The answer with ${key} was cut off.`)
      }
      const isLocked = answer.ObjectLockMode === 'COMPLIANCE'
      return { bytes, lockedUntil: isLocked ? answer.ObjectLockRetainUntilDate : undefined }
    })

  return {
    requireLock: () =>
      ask('s3:GetBucketObjectLockConfiguration', async ({ sdk, client }, abortSignal) => {
        const asked = new sdk.GetObjectLockConfigurationCommand({ Bucket: place.bucket })
        const { ObjectLockConfiguration: lock } = await client.send(asked, { abortSignal })
        if (lock?.ObjectLockEnabled !== 'Enabled') throw noLock(place.bucket)
      }),
    put: (key, bytes, lockedUntil, mediaType) =>
      ask(`s3:PutObject of ${key}`, async ({ sdk, client }, abortSignal) => {
        const object = new sdk.PutObjectCommand({
          Bucket: place.bucket,
          Key: key,
          Body: bytes,
          ContentType: mediaType,
          ChecksumAlgorithm: 'SHA256',
          IfNoneMatch: '*',
          ObjectLockMode: 'COMPLIANCE',
          ObjectLockRetainUntilDate: lockedUntil,
        })
        try {
          await client.send(object, { abortSignal })
          return 'written'
        } catch (cause) {
          if (statusOf(cause) === 412) return 'exists'
          throw cause
        }
      }),
    get: (key, bytesMax) =>
      read(key, bytesMax).catch((cause: unknown) => {
        if (cause instanceof StoreFault && nameOf(cause.cause) === 'NoSuchKey') return undefined
        throw cause
      }),
    getVersion: (key, versionId, bytesMax) => read(key, bytesMax, versionId),
    list: (prefix, after, limit) =>
      ask('s3:ListBucket', async ({ sdk, client }, abortSignal) => {
        const asked = {
          Bucket: place.bucket,
          Prefix: prefix,
          MaxKeys: limit,
          ...(after !== '' && { StartAfter: after }),
        }
        const { Contents = [] } = await client.send(new sdk.ListObjectsV2Command(asked), { abortSignal })
        return Contents.flatMap(({ Key }) => Key ?? [])
      }),
    versions: (prefix) => versionsOf(ask, place.bucket, prefix),
    close: () => void opening?.then(({ client }) => client.destroy()).catch(() => undefined),
  }
}

type Ask = <Answer>(does: string, question: (opened: Opened, signal: AbortSignal) => Promise<Answer>) => Promise<Answer>

async function* versionsOf(ask: Ask, bucket: string, prefix: string): AsyncGenerator<ObjectVersion> {
  let next: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } | undefined = {}
  while (next) {
    const from: object = next
    const page = await ask('s3:ListBucketVersions', ({ sdk, client }, abortSignal) =>
      client.send(new sdk.ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, ...from }), { abortSignal }),
    )
    const found = [
      ...(page.Versions ?? []).map((version) => ({ ...version, isMarker: false })),
      ...(page.DeleteMarkers ?? []).map((marker) => ({ ...marker, isMarker: true })),
    ]
    for (const { Key: key = '', VersionId: versionId = 'null', LastModified, isMarker } of found) {
      yield { key, versionId, isMarker, at: LastModified ?? new Date(0) }
    }
    next = page.IsTruncated
      ? {
          ...(page.NextKeyMarker !== undefined && { KeyMarker: page.NextKeyMarker }),
          ...(page.NextVersionIdMarker !== undefined && { VersionIdMarker: page.NextVersionIdMarker }),
        }
      : undefined
  }
}

async function open(place: S3Place, patienceMs: number): Promise<Opened> {
  const sdk = await import('@aws-sdk/client-s3')
  const { region = 'us-east-1', endpoint, accessKeyId, secretAccessKey } = place
  const client = new sdk.S3Client({
    region,
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey: secretAccessKey.reveal() } }),
    maxAttempts: 2,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: Math.min(3_000, patienceMs), requestTimeout: patienceMs },
  })
  return { sdk, client }
}

function noLock(bucket: string, cause?: unknown): StoreFault {
  const says = `The bucket ${bucket} has no Object Lock, so what is written there can be deleted. Make a bucket with Object Lock (it cannot be switched on without versioning) and name it in COUNTERSIGN_ANCHOR_BUCKET.`
  return new StoreFault('no_lock', says, cause)
}

const nameOf = (cause: unknown): string => (cause instanceof Error ? cause.name : '')

function statusOf(cause: unknown): number {
  const { $metadata: metadata } = (cause ?? {}) as { readonly $metadata?: { readonly httpStatusCode?: number } }
  return metadata?.httpStatusCode ?? 0
}

function faultOf(cause: unknown, does: string, { bucket }: S3Place): StoreFault {
  if (cause instanceof StoreFault) return cause
  const [name, status] = [nameOf(cause), statusOf(cause)]
  if (name === 'ObjectLockConfigurationNotFoundError') return noLock(bucket, cause)
  if (does.startsWith('s3:PutObject') && name === 'InvalidRequest') return noLock(bucket, cause)
  if (name === 'NoSuchBucket') return new StoreFault('no_bucket', `There is no bucket ${bucket}.`, cause)
  if (name === 'RequestTimeTooSkewed') {
    return new StoreFault('refused', "The store says that this machine's clock is wrong. Set it by NTP.", cause)
  }
  if (status === 401 || status === 403 || name === 'CredentialsProviderError') {
    const says = `The store refused ${does} in ${bucket} (${name}). Check the access key and that its policy allows this.`
    return new StoreFault('refused', says, cause)
  }
  if (status >= 500 || status === 0 || status === 409 || status === 429) {
    const why =
      status > 0
        ? `answered ${status}`
        : name === 'TimeoutError' && !(cause instanceof Error && 'code' in cause)
          ? 'did not answer in time'
          : `is not reached (${shortOf(cause)})`
    return new StoreFault('away', `The store ${why} at ${does}.`, cause)
  }
  return new StoreFault('unexpected', `The store answered ${status} (${name}) to ${does}.`, cause)
}

/** What is shown; never headers, which hold signatures. */
function shortOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown'
  const code = 'code' in cause ? String(cause.code) : ''
  return (code || cause.message || cause.name).slice(0, 200)
}

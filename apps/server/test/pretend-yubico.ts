import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export type PretendYubico = {
  readonly server: Server
  readonly url: string
  readonly key: string
  lie: 'unsigned' | 'other question' | 'other password' | 'silent' | undefined
}

/** The vendor's validation service: signs what it answers, and refuses a password it saw before. */
export async function pretendYubico(): Promise<PretendYubico> {
  const key = Buffer.from('a key that only the two of us know').toString('base64')
  const seen = new Set<string>()
  const hmac = await globalThis.crypto.subtle.importKey(
    'raw',
    Buffer.from(key, 'base64'),
    { name: 'HMAC', hash: 'SHA-1' },
    false,
    ['sign'],
  )
  const made: { lie: PretendYubico['lie'] } = { lie: undefined }
  const server = createServer((request, response) => {
    if (made.lie === 'silent') return void request.socket.destroy()
    const { searchParams } = new URL(request.url ?? '', 'http://localhost')
    const otp = searchParams.get('otp') ?? ''
    const status = seen.has(otp) ? 'REPLAYED_OTP' : 'OK'
    seen.add(otp)
    const answer: Record<string, string> = {
      otp: made.lie === 'other password' ? `${otp.slice(0, -1)}c` : otp,
      nonce: made.lie === 'other question' ? 'anothernonceanothernonce' : (searchParams.get('nonce') ?? ''),
      status,
      t: '2026-01-01T00:00:00Z0000',
    }
    const line = Object.keys(answer)
      .sort()
      .map((name) => `${name}=${answer[name] ?? ''}`)
      .join('&')
    void globalThis.crypto.subtle.sign('HMAC', hmac, Buffer.from(line)).then((mac) => {
      const h = made.lie === 'unsigned' ? 'AAAA' : Buffer.from(mac).toString('base64')
      response.end([`h=${h}`, ...Object.entries(answer).map(([name, value]) => `${name}=${value}`)].join('\r\n'))
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(made, { server, key, url: `http://127.0.0.1:${port}/wsapi/2.0/verify` })
}

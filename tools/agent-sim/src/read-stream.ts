export type StreamEvent = { readonly name: string; readonly data: string }

/** Reads server-sent events until the server closes or `signal` aborts. */
export async function readStream(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
  hear: (event: StreamEvent) => Promise<void>,
): Promise<void> {
  const response = await fetch(url, { headers, signal })
  if (!response.ok || !response.body) throw new Error(`the stream answered ${response.status}`)
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true })
    for (let end = rest.indexOf('\n\n'); end !== -1; end = rest.indexOf('\n\n')) {
      const lines = rest.slice(0, end).split('\n')
      rest = rest.slice(end + 2)
      const value = (field: string): string =>
        lines
          .filter((line) => line.startsWith(`${field}: `))
          .map((line) => line.slice(field.length + 2))
          .join('\n')
      const event = { name: value('event'), data: value('data') }
      if (event.name !== '' && event.data !== '') await hear(event)
    }
  }
}

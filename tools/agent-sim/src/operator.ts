/** Somebody at the console, by its public API: a cookie, and JSON in and out. */
export class Operator {
  readonly url: string
  #cookie = ''

  constructor(url: string) {
    this.url = url
  }

  async signIn(email: string, password: string): Promise<void> {
    await this.call('POST', '/session', { email, password })
  }

  async call<Answer = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}/api/v2${path}`, {
      method,
      headers: {
        'x-requested-with': 'countersign',
        ...(this.#cookie !== '' && { cookie: this.#cookie }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`)
    const [cookie] = (response.headers.get('set-cookie') ?? '').split(';')
    if (cookie !== undefined && cookie !== '') this.#cookie = cookie
    return (text === '' ? {} : JSON.parse(text)) as Answer
  }
}

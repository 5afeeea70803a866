import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < 24 || (major === 24 && minor < 7)) {
  process.stderr.write(
    `Countersign needs Node.js 24.7 or newer; this is ${process.versions.node}. npm start uses the right one by itself.\n`,
  )
  process.exitCode = 1
} else {
  // Beside the code it was made from and no more writable than that; where it cannot be written, starting is slower.
  enableCompileCache(join(import.meta.dirname, '../../../node_modules/.cache/countersign'))
  // Imported only now: on an older Node the modules below would fail with words that help nobody.
  const { serve } = await import('./serve.ts')
  await serve(process.env)
}

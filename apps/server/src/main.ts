const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < 24 || (major === 24 && minor < 7)) {
  process.stderr.write(
    `Countersign needs Node.js 24.7 or newer; this is ${process.versions.node}. npm start uses the right one by itself.\n`,
  )
  process.exitCode = 1
} else {
  // Imported only now: on an older Node the modules below would fail with words that help nobody.
  const { serve } = await import('./serve.ts')
  await serve(process.env)
}

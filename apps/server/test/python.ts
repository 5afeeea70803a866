import { spawnSync } from 'node:child_process'

const needed = 'import cryptography.hazmat.primitives.asymmetric.ed25519'

/** A Python that can run docs/verify/verify.py: TEST_PYTHON, the path's, or the system's own. */
export function findPython(): string | undefined {
  const candidates = [process.env['TEST_PYTHON'] ?? '', 'python3', '/usr/bin/python3']
  return candidates.find((python) => python !== '' && spawnSync(python, ['-c', needed]).status === 0)
}

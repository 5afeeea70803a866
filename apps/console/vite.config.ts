import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Everything the page loads is a hashed file of ours below /assets/; the server puts the nonce in for its mark. */
export default defineConfig({
  plugins: [react()],
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    assetsDir: 'assets',
    // A data: address would need its own exception in the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    reportCompressedSize: false,
  },
})

/** The nonce of this page's policy: every style a library adds at run time must carry it. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? ''

declare global {
  var __webpack_nonce__: string | undefined
}

/** The scroll lock inside Mantine's Modal and Drawer looks for its nonce under this name. */
globalThis.__webpack_nonce__ = nonce

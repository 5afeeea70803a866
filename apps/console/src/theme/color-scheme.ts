import { localStorageColorSchemeManager, type MantineColorScheme } from '@mantine/core'

const key = 'countersign-color-scheme'
export const colorSchemes = localStorageColorSchemeManager({ key })

/** Sets the scheme before the first paint; the policy allows no inline script to do it. */
export function applyColorScheme(): void {
  const wanted: MantineColorScheme = colorSchemes.get('auto')
  const isDark = wanted === 'dark' || (wanted === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.setAttribute('data-mantine-color-scheme', isDark ? 'dark' : 'light')
}

import { getRouteApi } from '@tanstack/react-router'

// By its id and not by import: the frame's own parts ask too, and the frame's route imports them.
const frame = getRouteApi('/frame')

/** The environment the person narrowed everything to, or undefined for all. */
export function useEnvironment(): string | undefined {
  return frame.useSearch().environment
}

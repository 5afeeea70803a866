import { notifications } from '@mantine/notifications'

/** Says that something was done. Never for what the page already shows. */
export function tell(title: string, message = ''): void {
  notifications.show({ title, message, color: 'gray' })
}

/** Says what failed and what it means; stays until it is dismissed. */
export function tellFailure(title: string, message: string): void {
  notifications.show({ title, message, color: 'red', autoClose: false, role: 'alert' })
}

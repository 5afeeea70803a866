import { notifications } from '@mantine/notifications'
import classes from './tell.module.css'

/** Says that something was done, and offers the way back where there is one. Never for what the page already shows. */
export function tell(title: string, message = '', undo?: () => void): void {
  // Told again, the newest takes the place of what it repeats.
  const id = `${title} ${message}`
  notifications.hide(id)
  notifications.show({
    id,
    title,
    color: 'gray',
    message: undo ? (
      <>
        {message}{' '}
        <button
          type="button"
          className={classes.undo}
          onClick={() => {
            notifications.hide(id)
            undo()
          }}
        >
          Undo
        </button>
      </>
    ) : (
      message
    ),
  })
}

/** Says what failed and what it means; stays until it is dismissed. */
export function tellFailure(title: string, message: string): void {
  notifications.show({ title, message, color: 'red', autoClose: false, role: 'alert' })
}

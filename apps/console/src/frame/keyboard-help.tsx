import { Modal } from '@mantine/core'
import { useSession } from '../api/session.ts'
import frame from './frame.module.css'
import classes from './keyboard-help.module.css'
import { visibleTo } from './navigation.ts'

type Shortcut = { readonly keys: readonly string[]; readonly does: string }
type Group = { readonly word: string; readonly shortcuts: readonly Shortcut[] }

const everywhere: readonly Shortcut[] = [
  { keys: ['Ctrl', 'K'], does: 'Search, go to, do; ⌘ K on a Mac' },
  { keys: ['?'], does: 'This list' },
  { keys: ['Esc'], does: 'Close what lies on top' },
]

const lists: readonly Shortcut[] = [
  { keys: ['j'], does: 'Next row, also ↓' },
  { keys: ['k'], does: 'Row before, also ↑' },
  { keys: ['Home'], does: 'First row' },
  { keys: ['End'], does: 'Last row' },
  { keys: ['Enter'], does: 'Open the row' },
  { keys: ['x'], does: 'Select the row; with Shift, all up to it' },
]

const approvals: readonly Shortcut[] = [
  { keys: ['a'], does: 'Approve' },
  { keys: ['s'], does: 'Sign with a passkey and approve' },
  { keys: ['d'], does: 'Deny' },
  { keys: ['r'], does: 'Write a reason' },
  { keys: ['x'], does: 'Select, to decide many at once' },
]

/** Every key of the console that this person can use, each once. */
function groupsFor(permissions: readonly string[]): readonly Group[] {
  const pages = visibleTo(permissions).flatMap(({ destinations }) => destinations)
  return [
    { word: 'Everywhere', shortcuts: everywhere },
    { word: 'In lists', shortcuts: lists },
    ...(permissions.includes('approval:decide') ? [{ word: 'In approvals', shortcuts: approvals }] : []),
    { word: 'Go to', shortcuts: pages.map(({ word, key }) => ({ keys: ['g', key], does: word })) },
  ]
}

export function KeyboardHelp({ onClose }: { readonly onClose: () => void }) {
  const { permissions } = useSession()
  return (
    <Modal
      opened
      closeOnClickOutside
      onClose={onClose}
      title="Keyboard"
      size={760}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <div className={classes.groups}>
        {groupsFor(permissions).map(({ word, shortcuts }) => (
          <section key={word} aria-label={word}>
            <h3>{word}</h3>
            <dl>
              {shortcuts.map(({ keys, does }) => (
                <div key={`${keys.join(' ')} ${does}`}>
                  <dt>
                    {keys.map((key) => (
                      <kbd key={key} className={frame.kbd}>
                        {key}
                      </kbd>
                    ))}
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  )
}

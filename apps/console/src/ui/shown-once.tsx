import { CopyButton } from './copy-button.tsx'
import classes from './shown-once.module.css'

/** A credential that nobody can show again. `what` names it: `the key`. */
export function ShownOnce({ text, what }: { readonly text: string; readonly what: string }) {
  return (
    <div className={classes.box}>
      <code>{text}</code>
      <CopyButton text={text} what={what} withWord />
    </div>
  )
}

import { codesOf, piecesOf } from './hidden.ts'
import classes from './plain.module.css'

/** What an agent wrote, apart from the words around it, in its own direction, and with what cannot be seen spelled out. */
export function Plain({ text }: { readonly text: string }) {
  return (
    <bdi>
      {piecesOf(text).map((piece, index) =>
        piece.isHidden ? (
          // The pieces of one text have no other name than their place.
          <span
            key={index}
            className={classes.hidden}
            title="Cannot be seen, and can change how the text reads; spelled out here"
          >
            {codesOf(piece.text)}
          </span>
        ) : (
          piece.text
        ),
      )}
    </bdi>
  )
}

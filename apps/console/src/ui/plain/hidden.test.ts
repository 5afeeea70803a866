import fc from 'fast-check'
import { expect, test } from 'vitest'
import { codesOf, piecesOf } from './hidden.ts'

const hiddenIn = (text: string) => piecesOf(text).flatMap((piece) => (piece.isHidden ? [codesOf(piece.text)] : []))

test('what turns or hides a text is found: direction controls, zero widths, fillers, tags, control characters', () => {
  expect(hiddenIn('/srv/\u202egpj.exe')).toEqual(['U+202E'])
  expect(hiddenIn('rm\u200b -rf\u2066\u2069')).toEqual(['U+200B', 'U+2066 U+2069'])
  expect(hiddenIn('pay\u200dment \u3164 \u2800 \u001b[2K')).toEqual(['U+200D', 'U+3164', 'U+2800', 'U+001B'])
  expect(hiddenIn(`ok${String.fromCodePoint(0xe0041, 0xe0042, 0xe0043, 0xe0044, 0xe0045)}`)).toEqual([
    'U+E0041 U+E0042 U+E0043 and 2 more',
  ])
})

test('ordinary texts in any script, lines, tabs and emoji hide nothing', () => {
  const texts = [
    'két sor\n\tés tab\r\n',
    'حذف قاعدة البيانات؟',
    'می\u200cخواهم',
    'क्\u200dष',
    '👩\u200d💻 ❤\ufe0f 1\ufe0f⃣',
    'עם־שם',
    '',
  ]
  for (const text of texts) expect(hiddenIn(text)).toEqual([])
})

test('the pieces together are the text, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(
        piecesOf(text)
          .map((piece) => piece.text)
          .join(''),
      ).toBe(text)
    }),
  )
})

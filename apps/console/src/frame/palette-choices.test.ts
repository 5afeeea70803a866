import { expect, test } from 'vitest'
import { type Choice, choicesFor, matching } from './palette-choices.ts'

const choice = (word: string): Choice => ({ id: word, group: 'Do', word, href: '/' })
const choices = ['Make a key', 'Add an environment', 'Change your password'].map(choice)
const words = (text: string) => matching(choices, text).map(({ word }) => word)

test('typed words match the beginnings of words, in any order and case', () => {
  expect(words('env add')).toEqual(['Add an environment'])
  expect(words('PASS')).toEqual(['Change your password'])
  expect(words('word')).toEqual([])
})

test('nothing typed leaves everything', () => {
  expect(words('  ')).toHaveLength(choices.length)
})

test('a person without permissions is offered nothing', () => {
  expect(choicesFor([])).toEqual([])
})

import { expect, test } from 'vitest'
import { divided } from './bulk.ts'

const policy = (proof: 'session' | 'step-up' | 'countersignature' = 'session') => ({
  proof,
  approvers: 1,
  excludes_owner: false,
})
const others = { id: 'others', you_may: 'approve', policy: policy() } as const
const own = { id: 'own', you_may: 'deny', policy: policy() } as const
const signed = { id: 'signed', you_may: 'approve', policy: policy('countersignature') } as const

test('approving many leaves out one’s own calls and those to be signed, and says why; denying carries one’s own', () => {
  const approved = divided([others, own, signed], true)
  expect(approved.carried).toEqual([others])
  expect([...approved.leftOut].map(([why, items]) => [why.split('.')[0], items])).toEqual([
    ['Your own key asks, so somebody else has to approve it', [own]],
    ['Policy wants each one signed with a passkey', [signed]],
  ])
  expect(divided([others, own, signed], false).carried).toEqual([others, own])
})

import { isList, isObject, type JsonObject } from '../evaluate/call.ts'
import {
  addressesOf,
  commandOf,
  type Host,
  type Materials,
  materialsOf,
  pathKeys,
  pathsOf,
  type SandboxChecks,
} from '../evaluate/sandbox.ts'
import type { Situation } from '../evaluate/selector-value.ts'
import { readCommand } from '../evaluate/shell-words.ts'
import type { JsonValue } from '../model.ts'
import { bits, type Possible } from './possible.ts'
import { remainsOf, type Unknowns } from './unknowns.ts'

/** What a sandbox can look at in a call of which parts may be hidden. */
export interface KnownMaterials {
  /** Of the arguments that are known. More arguments could add to it, never take away. */
  readonly known: Materials
  readonly mayHideCommand: boolean
  /** Whether a hidden command certainly does more than one thing, by how it begins. */
  readonly hidesUnanalysable: boolean
  readonly mayHidePath: boolean
  readonly mayHideAddress: boolean
}

export function knownMaterials({ call }: Situation, host: Host, unknowns: Unknowns): KnownMaterials {
  const hidesAll = remainsOf(call.args, unknowns) !== undefined
  const args: Record<string, JsonValue> = Object.create(null)
  let mayHideCommand = hidesAll
  let hidesUnanalysable = false
  let mayHideText = hidesAll
  let mayHidePath = hidesAll
  for (const [key, value] of hidesAll ? [] : Object.entries(call.args)) {
    const remains = remainsOf(value, unknowns)
    if (remains) {
      mayHideText = true
      if (key !== 'command') continue
      mayHideCommand = true
      hidesUnanalysable = remains.is === 'text' && readCommand(remains.start)?.isUnanalysable === true
    } else if (isList(value) && pathKeys.has(key)) {
      const known = value.filter((one) => !remainsOf(one, unknowns))
      mayHidePath ||= known.length < value.length
      args[key] = known
    } else args[key] = value
  }
  const knownArgs: JsonObject = isObject(args) ? args : {}
  return {
    known: materialsOf({ ...call, args: knownArgs }, host),
    mayHideCommand,
    hidesUnanalysable,
    mayHidePath: mayHidePath || mayHideText,
    mayHideAddress: mayHideText,
  }
}

/** Whether a call breaks a sandbox. Throws only what the host's own path resolver throws. */
export function sandboxOutcomes(checks: SandboxChecks, materials: KnownMaterials): Possible {
  const { breaksPath, breaksCommand, breaksAddress } = checks
  const { known } = materials
  if (breaksPath) {
    const { hasBad, forms } = pathsOf(known)
    if (hasBad || forms.some(breaksPath)) return bits.yes
  }
  const command = commandOf(known)
  if ((command && breaksCommand(command)) || materials.hidesUnanalysable) return bits.yes
  if (breaksAddress && addressesOf(known).some(breaksAddress)) return bits.yes
  const mayBreak =
    materials.mayHideCommand ||
    (breaksPath !== undefined && materials.mayHidePath) ||
    (breaksAddress !== undefined && materials.mayHideAddress)
  return mayBreak ? bits.yes | bits.no : bits.no
}

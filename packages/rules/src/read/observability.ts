import type { Observability } from '../model.ts'
import {
  asMap,
  child,
  type MapPlace,
  type Place,
  type Reading,
  readBoolean,
  readChoice,
  readString,
  refuseUnknown,
  text,
} from './fields.ts'

const code = 'doc.observability'

export function readObservability(place: Place, reading: Reading): Observability | undefined {
  const map = asMap(place)
  if (!map) {
    reading.findings.error({
      code,
      at: place.at,
      path: place.path,
      message: 'observability must be a mapping.',
    })
    return undefined
  }
  refuseUnknown(map, ['otel', 'stdout', 'file'], 'observability', reading)
  const otelPlace = child(map, 'otel')
  const otel = otelPlace && readOtel(otelPlace, reading)
  const stdout = readBoolean(map, 'stdout', code, reading)
  const file = readFile(map, reading)
  return {
    ...(otel ? { otel } : {}),
    ...(stdout === undefined ? {} : { stdout }),
    ...(file === undefined ? {} : { file }),
  }
}

function readFile(map: MapPlace, reading: Reading): string | null | undefined {
  const place = child(map, 'file')
  if (!place) return undefined
  if (place.node.is === 'scalar' && place.node.value === null) return null
  return readString(map, 'file', { code, name: 'file', isRequired: false }, reading)
}

function readOtel(place: Place, reading: Reading): Observability['otel'] {
  const map = asMap(place)
  if (!map) {
    reading.findings.error({
      code,
      at: place.at,
      path: place.path,
      message: 'otel must be a mapping.',
    })
    return undefined
  }
  refuseUnknown(
    map,
    ['enabled', 'endpoint', 'protocol', 'service_name', 'insecure', 'resource_attributes'],
    'otel',
    reading,
  )
  const enabled = readBoolean(map, 'enabled', code, reading)
  const endpoint = readString(map, 'endpoint', { code, name: 'endpoint', isRequired: false }, reading)
  const protocolPlace = child(map, 'protocol')
  const protocol = protocolPlace && readChoice(protocolPlace, ['grpc', 'http'], code, 'protocol', reading)
  const serviceName = readString(map, 'service_name', { code, name: 'service_name', isRequired: false }, reading)
  const insecure = readBoolean(map, 'insecure', code, reading)
  const resourceAttributes = readAttributes(child(map, 'resource_attributes'), reading)
  return {
    ...(enabled === undefined ? {} : { enabled }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(serviceName === undefined ? {} : { serviceName }),
    ...(insecure === undefined ? {} : { insecure }),
    ...(resourceAttributes === undefined ? {} : { resourceAttributes }),
  }
}

function readAttributes(place: Place | undefined, reading: Reading): { name: string; value: string }[] | undefined {
  if (!place) return undefined
  const map = asMap(place)
  if (!map) {
    const message = 'resource_attributes must map names to strings.'
    reading.findings.error({ code, at: place.at, path: place.path, message })
    return undefined
  }
  return [...map.node.entries.keys()].flatMap((name) => {
    const attribute = child(map, name)
    const value = text(attribute)
    if (value !== undefined) return [{ name, value }]
    const at = attribute?.at ?? place.at
    reading.findings.error({
      code,
      at,
      path: attribute?.path ?? place.path,
      message: 'A resource attribute must be a string.',
    })
    return []
  })
}

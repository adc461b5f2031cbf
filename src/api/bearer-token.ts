import type { FastifyRequest } from 'fastify'

export function bearerToken({ headers }: FastifyRequest): string | null {
  return /^Bearer ([\x21-\x7e]+)$/i.exec(headers.authorization ?? '')?.[1] ?? null
}

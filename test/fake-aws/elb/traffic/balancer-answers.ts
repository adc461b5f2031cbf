import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2'

const words: Readonly<Record<number, string>> = {
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
}

/** The balancer's own answer, as it looks (D). */
export function answerText(response: ServerResponse, status: number): void {
  const title = `${status} ${words[status] ?? STATUS_CODES[status] ?? ''}`
  const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`
  response.writeHead(status, words[status] ?? '', {
    server: 'awselb/2.0',
    'content-type': 'text/html',
    'content-length': body.length,
  })
  response.end(body)
}

/** Parts of the request stand in `#{host}` and its like; those are the defaults too (D). */
export function redirectTo(
  response: ServerResponse,
  config: NonNullable<Action['RedirectConfig']>,
  { request, port, protocol }: { request: IncomingMessage; port: number; protocol: string },
): void {
  const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s, 2)
  const host = (request.headers.host ?? '').replace(/:\d+$/, '')
  const parts: Record<string, string> = {
    protocol: protocol.toLowerCase(),
    host,
    port: String(port),
    path: path.slice(1),
    query,
  }
  const fill = (text: string) => text.replaceAll(/#\{(\w+)\}/g, (all, name: string) => parts[name] ?? all)
  const scheme = fill(config.Protocol ?? '#{protocol}').toLowerCase()
  const search = fill(config.Query ?? '#{query}')
  const place = `${scheme}://${fill(config.Host ?? '#{host}')}:${fill(config.Port ?? '#{port}')}`
  const location = `${place}${fill(config.Path ?? '/#{path}')}${search === '' ? '' : `?${search}`}`
  response.writeHead(Number(config.StatusCode!.slice(-3)), {
    server: 'awselb/2.0',
    location,
    'content-length': 0,
  })
  response.end()
}

import type { LabelRule } from './label-rule.ts'

/** What is said of one external port; `*` is its number. */
export const portLabelRules: Record<string, LabelRule> = {
  'port.*.protocol': {
    verdict: 'honoured',
    why: 'what an external port speaks: http, https, tcp, tls or udp',
    kind: 'protocol',
    example: 'tcp',
    default: '80 is http, 443 is https, anything else tcp',
  },
  'port.*.proxy': {
    verdict: 'honoured',
    why: 'tells the process who connects by the PROXY protocol, health checks included: version 1 (`true` or `v1`) or 2 (`v2`); refused on udp',
    partly: ['proxyOnHttp', 'proxyOnTcp'],
    kind: 'proxy',
    example: 'true',
    default: 'false',
  },
  'port.*.secure': {
    verdict: 'honoured',
    why: 'speaks TLS to the process, whose certificate is not verified',
    partly: ['secureOnTcp'],
    kind: 'boolean',
    example: 'true',
    default: 'false',
  },
  'port.*.shared': {
    verdict: 'honoured',
    why: 'a port of protocol tls that other apps of the rack may have too: clients are led by the name that they ask TLS for (SNI)',
    needs: 'sharedTlsPorts',
    kind: 'boolean',
    example: 'true',
    default: 'false',
  },
  'port.*.upstream': {
    verdict: 'honoured',
    why: 'the HTTP that is spoken to the process, on a port of http or https: `http1`, `h2c` (HTTP/2 in clear, as gRPC has it) or `h2` (HTTP/2 by TLS)',
    needs: 'http2ToProcess',
    unless: ['http1'],
    kind: 'upstream',
    example: 'h2c',
    default: 'http1',
  },
}

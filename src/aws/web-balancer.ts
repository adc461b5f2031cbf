import { shortHash } from '../lib/short-hash.ts'
import { tlsPolicy } from './tls-policy.ts'

/** What further ones of a rack are called by begins so: of this rack alone, and within the 32 characters of such a name. */
export const webBalancerPrefix = (rack: string): string => `rack-web-${shortHash(rack)}-`

interface WebBalancerInput {
  /** CloudFormation names it when absent. */
  name?: string
  /** Ids, or what gives them. */
  subnets: unknown
  securityGroups: unknown[]
  tags: { Key: string; Value: string }[]
  /** ARN, or what gives it, of the default certificate of port 443; without one there is none. */
  shown: unknown
  /** Whether port 80 leads to 443. */
  isSecure: boolean
}

const attributes = (values: Record<string, string>) =>
  Object.entries(values).map(([Key, Value]) => ({ Key, Value }))

/** An application load balancer that the internet reaches, and its listeners, as resources of a template. Pure. */
export function webBalancerResources({
  name,
  subnets,
  securityGroups,
  tags,
  shown,
  isSecure,
}: WebBalancerInput) {
  const listener = (port: number, protocol: string, action: object, more: object = {}) => ({
    Type: 'AWS::ElasticLoadBalancingV2::Listener',
    Properties: {
      LoadBalancerArn: { Ref: 'Balancer' },
      Port: port,
      Protocol: protocol,
      DefaultActions: [action],
      ...more,
    },
  })
  return {
    Balancer: {
      Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
      Properties: {
        ...(name !== undefined && { Name: name }),
        Type: 'application',
        Scheme: 'internet-facing',
        Subnets: subnets,
        SecurityGroups: securityGroups,
        LoadBalancerAttributes: attributes({
          'idle_timeout.timeout_seconds': '3600',
          'routing.http.preserve_host_header.enabled': 'true',
          'routing.http.drop_invalid_header_fields.enabled': 'false',
          // As whoever reads it counts on: the caller's address last, without its port.
          'routing.http.xff_header_processing.mode': 'append',
          'routing.http.xff_client_port.enabled': 'false',
        }),
        Tags: tags,
      },
    },
    HttpListener: listener(80, 'HTTP', isSecure ? toHttps : nobody),
    ...(shown !== undefined && {
      HttpsListener: listener(443, 'HTTPS', nobody, {
        Certificates: [{ CertificateArn: shown }],
        SslPolicy: tlsPolicy,
      }),
    }),
  }
}

/** For whom no rule has an answer. */
const nobody = {
  Type: 'fixed-response',
  FixedResponseConfig: { StatusCode: '404', ContentType: 'text/plain' },
}

const toHttps = {
  Type: 'redirect',
  RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' },
}

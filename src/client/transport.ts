import type { Duplex } from 'node:stream'

/** What carries requests to a rack: Node's own http here, fetch where a browser supplies it. */
export interface Transport {
  /**
   * Settles when the head of the response is here, which may be before the request's body is sent.
   * @throws unreachable, or the signal's reason
   */
  request(request: TransportRequest): Promise<TransportResponse>
  /**
   * Settles when the WebSocket is open. A refusal before that is a `TransportResponse`.
   * @throws unreachable, or the signal's reason
   */
  connect(request: SocketRequest): Promise<TransportSocket | TransportResponse>
}

export interface TransportRequest {
  method: string
  url: URL
  headers: Record<string, string>
  /** Text, or bytes that are sent with back-pressure; their failure fails the request. */
  body: string | AsyncIterable<Uint8Array> | null
  signal: AbortSignal
}

export interface TransportResponse {
  status: number
  headers: Record<string, string | undefined>
  /** Read once; leaving the iteration closes the connection. */
  body: AsyncIterable<Uint8Array>
}

export interface SocketRequest {
  url: URL
  headers: Record<string, string>
  signal: AbortSignal
}

export interface TransportSocket {
  /** Settles when the bytes are on their way and more may follow. */
  send(message: Uint8Array): Promise<void>
  /** Ends when the other side has closed. @throws unreachable when the connection is lost */
  messages: AsyncIterable<Uint8Array>
  close(): void
}

/** A connection that is open already and carries others. */
export interface Tunnel {
  /** As it was asked for: `ssh://deploy@host`. */
  address: string
  host: string
  /** That go with each request. */
  headers: Record<string, string>
  /** A connection to the rack's API; it fails by itself where there is none. @throws with a `code` when the tunnel has ended */
  dial(): Duplex
}

/** A server that is reached elsewhere than its name leads, and believed by one certificate. */
export interface PinnedServer {
  /** As a person types it: `aws://eu-west-1/rack`. */
  address: string
  /** By which it is asked for, and chooses what it shows: `api.rack.internal`. */
  name: string
  /** Where it is reached: the name of a load balancer. */
  host: string
  port: number
  /** PEM. Whoever shows another one is refused, also one that this one's key has signed. */
  certificate: string
}

/** How Node reaches a rack. */
export interface NodeRoute {
  connectTimeoutMs: number
  /** Who alone is believed by https, PEM; the known authorities when absent. */
  pinned?: string | undefined
  /** Another way than the network of this machine. */
  tunnel?: Tunnel | undefined
  /** Takes the place of where the address of a request leads. */
  server?: PinnedServer | undefined
  /** The rack's Unix socket, which is looked at before anything is sent; the address of the request when absent. */
  socketPath?: string | undefined
}

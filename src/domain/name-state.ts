/** What has become of the certificate of a name, where an account has it. */
export interface NameState {
  /** Of a host, `*.example.com` too. */
  name: string
  state: 'shown' | 'waiting' | 'failed'
  /** What its owner has to put into the DNS; null where the rack does, or nothing is needed. */
  record: ProofRecord | null
  /** Why it is not shown; null where it is. */
  reason: string | null
}

/** A record by which somebody shows that a name is theirs. */
export interface ProofRecord {
  /** Without a dot at its end. */
  name: string
  type: 'CNAME'
  value: string
}

/** By which every listener of a rack ends TLS: 1.2 and 1.3. Without a word AWS takes 1.0 and 1.1 too. */
export const tlsPolicy = 'ELBSecurityPolicy-TLS13-1-2-2021-06'

/** What a stage says about a call. It is a value: saying no is a normal result. */
export type Verdict = Allow | Block | Challenge | Hold

/** Go on. `approval` is the one that was spent for it, when a human had to be asked. */
export type Allow = { readonly is: 'allow'; readonly approval?: string }

/** No. `code` is for programs and the trail, `says` for the caller; `rule` names the rule that said so. */
export type Block = { readonly is: 'block'; readonly code: string; readonly says: string; readonly rule?: string }

/** Not yet: the caller must first show `wants` (`sign_in`, `second_factor` …). */
export type Challenge = { readonly is: 'challenge'; readonly wants: string; readonly says: string }

/** A human must be asked. From the rules: they have to be. From approval: `approval` is waiting for them. */
export type Hold = { readonly is: 'hold'; readonly says: string; readonly rule?: string; readonly approval?: string }

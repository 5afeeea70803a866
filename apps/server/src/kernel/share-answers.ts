/**
 * Lets those who ask the same thing while it is being looked up share the answer. Thousands of agents that connect at
 * once would otherwise each wait for a connection to the database to learn what the first of them learns.
 */
export type SharedAnswers<Answer> = {
  readonly ask: (question: string, look: () => Promise<Answer>) => Promise<Answer>
  /** Whoever asks from now on is not given an answer that was begun before. Without a question: of any. */
  readonly forget: (question?: string) => void
}

export function shareAnswers<Answer>(): SharedAnswers<Answer> {
  const underWay = new Map<string, Promise<Answer>>()
  return {
    ask: (question, look) => {
      const known = underWay.get(question)
      if (known) return known
      const answer = look()
      underWay.set(question, answer)
      const done = (): void => {
        if (underWay.get(question) === answer) underWay.delete(question)
      }
      answer.then(done, done)
      return answer
    },
    forget: (question) => {
      if (question === undefined) underWay.clear()
      else underWay.delete(question)
    },
  }
}

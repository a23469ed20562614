// Every wait has a limit, and says what was waited for.

/** What a promise resolves to; rejects if it takes longer. */
export async function within(milliseconds, what, promise) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks until it is so; says what was seen last if it never is. */
export async function until(what, look, isSo, milliseconds = 10_000) {
  const end = performance.now() + milliseconds;
  for (;;) {
    const seen = await look();
    if (isSo(seen)) {
      return seen;
    }
    if (performance.now() > end) {
      throw new Error(`${what}: not within ${milliseconds} ms; last seen: ${JSON.stringify(seen)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// Runs of words with a known order ("satu dua tiga empat", "senin-selasa-rabu")
// and runs of number words ("tujuh tiga sembilan satu", which is a four-digit
// PIN). zxcvbn sees rare independent words there and praises them.
import { numbers, series } from "./words.mjs";

const places = new Map(); // word -> [series, index] pairs
const longest = { n: 0 };
const add = (word, place) => {
  if (!places.has(word)) places.set(word, []);
  if (place) places.get(word).push(place);
  longest.n = Math.max(longest.n, word.length);
};
series.forEach((words, s) => words.forEach((w, i) => add(w, [s, i])));
const digits = new Set(numbers);
numbers.forEach((w) => add(w));

// MIN_LETTERS keeps short syllables ("do re", "la si") from being found by
// chance within longer words.
const MIN_LETTERS = 8;

// lower is toLowerCase, except that every position stays where it is: the lower
// case of \u0130 is two characters.
export function lower(text) {
  const l = text.toLowerCase();
  if (l.length === text.length) return l;
  return text.replace(/[^]/g, (c) => (c.toLowerCase().length === 1 ? c.toLowerCase() : c));
}

function wordsAt(text, i) {
  const found = [];
  for (let n = 2; n <= longest.n && i + n <= text.length; n++) {
    const w = text.slice(i, i + n);
    if (places.has(w)) found.push(w);
  }
  return found;
}

// next gives where the word after position j starts: at once, or after one or
// two characters that are neither letter nor digit.
function starts(text, j) {
  const out = [j];
  for (let n = 1; n <= 2 && !/[a-z0-9]/.test(text[j + n - 1] || "a"); n++) out.push(j + n);
  return out;
}

function grow(text, j, accept, state) {
  let best = { end: j, words: 1 };
  for (const at of starts(text, j)) {
    for (const w of wordsAt(text, at)) {
      const s = accept(w, state);
      if (s === null) continue;
      const r = grow(text, at + w.length, accept, s);
      if (r.end > best.end) best = { end: r.end, words: r.words + 1 };
    }
  }
  return best;
}

function ordered(w, { s, i, step }) {
  for (const [s2, i2] of places.get(w)) {
    if (s2 !== s) continue;
    const d = i2 - i;
    const len = series[s].length;
    const up = d === 1 || d === 1 - len;
    const down = d === -1 || d === len - 1;
    if ((step !== -1 && up) || (step !== 1 && down)) return { s, i: i2, step: up ? 1 : -1 };
  }
  return null;
}

export function seriesMatch(password) {
  const text = lower(password);
  const matches = [];
  const push = (i, end, guesses) => {
    if (end - i < MIN_LETTERS) return;
    matches.push({ pattern: "series", i, j: end - 1, token: password.slice(i, end), guesses });
  };
  for (let i = 0; i < text.length; i++) {
    for (const w of wordsAt(text, i)) {
      for (const [s, k] of places.get(w)) {
        const r = grow(text, i + w.length, ordered, { s, i: k, step: 0 });
        // which series, where it begins, which way, which separator, how far
        if (r.words > 1) push(i, r.end, series.length * 4 * 2 * r.words);
      }
      if (digits.has(w)) {
        const r = grow(text, i + w.length, (v) => (digits.has(v) ? {} : null), {});
        if (r.words > 1) push(i, r.end, 4 * Math.pow(12, r.words));
      }
    }
  }
  return matches;
}

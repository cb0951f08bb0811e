// The estimator that the server (in goja) and the browser (in a worker) both
// run: zxcvbn 4.4.2 with Indonesian words, and the rules of series.mjs.
//
// It uses zxcvbn's parts rather than its main function, to replace the two that
// need it: the look-up in dictionaries (one table instead of eight, without the
// names every JavaScript object inherits, which gave "constructor" no number of
// guesses at all) and the unbounded listing of l33t substitutions (seconds of
// work for a few dozen characters).
import lists from "zxcvbn/lib/frequency_lists.js";
import indonesian from "absah:indonesian";
import { phrases } from "./words.mjs";
import { lower, seriesMatch } from "./series.mjs";

const ranks = new Map();
// The first PREFIX characters of every word, to give up early where none
// begins: in what is no text at all that is nearly everywhere.
const PREFIX = 4;
const prefixes = new Set();
let longest = 0;
for (const list of [...Object.values(lists), ...indonesian, phrases]) {
  list.forEach((word, i) => {
    const rank = ranks.get(word);
    if (rank === undefined || rank > i + 1) ranks.set(word, i + 1);
    if (word.length >= PREFIX) prefixes.add(word.slice(0, PREFIX));
    if (word.length > longest) longest = word.length;
  });
}
// zxcvbn builds its own tables from these at the moment it is loaded, below.
for (const name of Object.keys(lists)) delete lists[name];

const matching = require("zxcvbn/lib/matching.js");
const scoring = require("zxcvbn/lib/scoring.js");
const times = require("zxcvbn/lib/time_estimates.js");

// LIMIT is how many characters are scored. More only cost time: nobody
// guesses forty characters that have no pattern.
export const LIMIT = 40;

// RATE is the guesses per second behind the time to crack: somebody who stole
// the database and the pepper, and spends on Argon2id.
export const RATE = 1e4;

const MAX_SUBSTITUTIONS = 32;

let own = new Map();
let ownPrefixes = new Set();
let reach = longest;

matching.dictionary_match = function (password) {
  const matches = [];
  const text = lower(password);
  for (let i = 0; i < text.length; i++) {
    for (let j = i + 1; j <= text.length && j - i <= reach; j++) {
      const word = text.slice(i, j);
      if (j - i === PREFIX && !prefixes.has(word) && !ownPrefixes.has(word)) break;
      let rank = ranks.get(word);
      const mine = own.get(word);
      if (mine !== undefined && (rank === undefined || mine < rank)) rank = mine;
      if (rank === undefined) continue;
      matches.push({
        pattern: "dictionary", i, j: j - 1, token: password.slice(i, j), matched_word: word, rank,
        dictionary_name: "words", reversed: false, l33t: false,
      });
    }
  }
  return this.sorted(matches);
};

matching.enumerate_l33t_subs = function (table) {
  let subs = [{}];
  for (const letter of Object.keys(table)) {
    const next = new Map();
    for (const symbol of table[letter]) {
      for (const sub of subs) {
        if (symbol in sub) keep(next, sub);
        keep(next, { ...sub, [symbol]: letter });
      }
    }
    subs = [...next.values()].slice(0, MAX_SUBSTITUTIONS);
  }
  return subs;
};

function keep(set, sub) {
  const key = Object.keys(sub).sort().map((k) => k + sub[k]).join("");
  if (!set.has(key)) set.set(key, sub);
}

// zxcvbn's own years end with 2019.
const regexMatch = matching.regex_match;
matching.regex_match = function (password) {
  return regexMatch.call(this, password, { recent_year: /19\d\d|20[0-4]\d/g });
};

const omnimatch = matching.omnimatch;
matching.omnimatch = function (password) {
  return this.sorted([...omnimatch.call(this, password), ...seriesMatch(password)]);
};

function guesses(text) {
  if (text === "") return 1;
  return scoring.most_guessable_match_sequence(text, matching.omnimatch(text)).guesses;
}

// joined takes out the separator of words that are all separated by the same
// one, or returns "". zxcvbn counts every space as a surprise.
function joined(text) {
  const m = /^(?:[a-z]{2,}|\d{1,8})([ ._\-+,/])(?:(?:[a-z]{2,}|\d{1,8})\1)*(?:[a-z]{2,}\d{0,4}|\d{1,8})[!.?]?$/i.exec(text);
  return m ? text.split(m[1]).join("") : "";
}

// Of which separator was taken: a space, a dash, a dot, an underscore, others.
const SEPARATORS = 8;

const UNITS = [["second", 1], ["minute", 60], ["hour", 3600], ["day", 86400], ["month", 2629800], ["year", 31557600]];
const CENTURY = 3155760000;

// span gives a duration as people say it: a unit and a whole number of it.
// "instant" is less than a second, "centuries" more than one.
export function span(seconds) {
  if (seconds < 1) return { unit: "instant", n: 0 };
  if (seconds >= CENTURY) return { unit: "centuries", n: 0 };
  let best = UNITS[0];
  for (const u of UNITS) if (seconds >= u[1]) best = u;
  return { unit: best[0], n: Math.floor(seconds / best[1]) };
}

// mostlyOwn says whether fewer than eight letters and digits remain when the
// user's own words are taken out.
//
// (No \p{L} in the expression: the server's engine does not know it.)
const OTHERS = 8;
function mostlyOwn(text, words) {
  let rest = text.toLowerCase();
  const before = rest;
  for (const w of words) rest = rest.split(w).join(" ");
  return rest !== before && rest.replace(/[\s!-/:-@[-`{-~]/g, "").length < OTHERS;
}

// estimate scores a passphrase.
//
//   passphrase  string
//   words       what is known of its owner: lower-case words, longest first
//   year        the current year; given, so that both sides use the same
//
// It returns { score, guesses, seconds, unit, n, length, own }: score 0 to 4,
// guesses until it is found, seconds at RATE (also as unit and n), length in
// code points, own true when it is made mostly of the owner's own words.
export function estimate(passphrase, words, year) {
  const text = passphrase.normalize("NFKC");
  const points = Array.from(text);
  const head = points.slice(0, LIMIT).join("");
  own = new Map();
  ownPrefixes = new Set();
  reach = words.reduce((n, w) => Math.max(n, w.length), longest);
  words.forEach((w, i) => {
    if (!own.has(w)) own.set(w, i + 1);
    ownPrefixes.add(w.slice(0, PREFIX));
  });
  scoring.REFERENCE_YEAR = year;
  let g = guesses(head);
  const without = joined(head);
  if (without) g = Math.min(g, guesses(without) * SEPARATORS);
  own = new Map();
  // Beyond what a float holds the exact number means nothing, and JSON has no
  // infinity.
  if (!(g < Number.MAX_VALUE)) g = Number.MAX_VALUE;
  const seconds = g / RATE;
  return {
    score: times.guesses_to_score(g), guesses: g, seconds, ...span(seconds),
    length: points.length, own: mostlyOwn(text, words),
  };
}

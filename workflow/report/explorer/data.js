// What the page holds: blocks of gzip in base64, decoded when they are first asked for.

const decoded = new Map();
const TYPES = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array };
const UNKNOWN = 255;

const has = (name) => decoded.has(name) || document.getElementById(name) !== null;

function block(name) {
  if (!decoded.has(name)) decoded.set(name, decode(document.getElementById(name)));
  return decoded.get(name);
}

async function decode(element) {
  const stream = new Blob([bytesOf(element.textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const kind = element.dataset.type;
  element.remove(); // its text is not needed twice
  const content = new Response(stream);
  if (kind === "json") return content.json();
  return kind === "text" ? content.text() : new TYPES[kind](await content.arrayBuffer());
}

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

// The study: set once by openStudy, before anything is shown.
let study, names, label;

async function openStudy() {
  [study, names, label] = await Promise.all(["study", "names", "label"].map(block));
  study.proposalsOf = new Map();
  for (const row of study.proposals) {
    if (!study.proposalsOf.has(row.drug)) study.proposalsOf.set(row.drug, []);
    study.proposalsOf.get(row.drug).push(row);
  }
  study.size = new Array(study.moas.length).fill(0);
  for (let i = 0; i < study.n_study; i++) for (const moa of moasOf(i)) study.size[moa] += 1;
}

const nameOf = (drug) => names.pert_iname[drug] || names.pert_id[drug];
const moasOf = (drug) => study.parts[label[drug]] || [];
const moaText = (drug) => study.labels[label[drug]] ?? "none known";
const isPlaced = (drug) => drug >= study.n - study.n_placed;
const drugsOfMoa = (moa) => range(study.n).filter((drug) => moasOf(drug).includes(moa));
const range = (n) => Array.from({ length: n }, (_, i) => i);

const opened = new Map();

// A map, ready to draw; what only the panels need is decoded by detailsOf.
function openMap(name) {
  if (!opened.has(name)) opened.set(name, readMap(name));
  return opened.get(name);
}

async function readMap(name) {
  const [info, places, community] = await Promise.all(["info", "places", "community"].map((part) => block(`${name}/${part}`)));
  const n = community.length;
  const [left, bottom, right, top] = info.box;
  const x = new Float32Array(n), y = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    x[i] = left + (places[i] / 65535) * (right - left);
    y[i] = bottom + (places[n + i] / 65535) * (top - bottom);
  }
  const members = new Map();
  for (let i = 0; i < n; i++) {
    if (!members.has(community[i])) members.set(community[i], []);
    members.get(community[i]).push(i);
  }
  return { name, info, n, x, y, community, members };
}

async function detailsOf(map) {
  if (map.near) return map;
  const parts = ["near", "distance", "ranks", "opposite", "cosine", "kept"].filter((part) => has(`${map.name}/${part}`));
  const values = await Promise.all(parts.map((part) => block(`${map.name}/${part}`)));
  parts.forEach((part, i) => { map[part] = values[i]; });
  map.k = map.near.length / map.n;
  return map;
}

// The nearest of a drug, nearest first: drug, distance, association, its rank in each map (0: not among those kept).
function nearestOf(map, drug) {
  const maps = study.maps.length;
  return range(map.k).map((rank) => {
    const at = drug * map.k + rank;
    const distance = (map.distance[at] / 65535) * map.info.farthest;
    const ranks = Array.from(map.ranks.subarray(at * maps, (at + 1) * maps));
    return { drug: map.near[at], distance, association: interpolate(map.info.curve, distance), ranks };
  });
}

function interpolate([from, to], value) {
  let above = from.findIndex((x) => x >= value);
  if (above < 0) return to[to.length - 1];
  if (above === 0) return to[0];
  const share = (value - from[above - 1]) / (from[above] - from[above - 1]);
  return to[above - 1] + share * (to[above] - to[above - 1]);
}

function oppositesOf(map, drug) {
  if (!map.opposite) return [];
  const k = map.info.opposites, start = drug * k;
  return Array.from(map.opposite.subarray(start, start + k), (other, i) => ({ drug: other, cosine: map.cosine[start + i] / 127 - 1 }));
}

// How far a feature is from its median in each drug, in robust standard deviations; NaN where it is not known.
async function featureValues(feature) {
  const { kept, n, to_a_block: [width] } = study.features;
  const place = kept.indexOf(feature);
  const values = await block(`features/${Math.floor(place / width)}`);
  const start = (place % width) * n;
  return Float32Array.from(values.subarray(start, start + n), (v) => (v === UNKNOWN ? NaN : (v - 127) / 10));
}

// The mean signature of some drugs over the groups of features; null where it is of none of them known.
async function signatureOf(drugs) {
  const { groups, n, to_a_block: [, size] } = study.features;
  const sums = new Float64Array(groups.length);
  let count = 0;
  for (const drug of drugs) {
    if (drug >= n) continue;
    const values = await block(`signature/${Math.floor(drug / size)}`);
    const start = (drug % size) * groups.length;
    if (values[start] === UNKNOWN) continue;
    count += 1;
    for (let g = 0; g < groups.length; g++) sums[g] += (values[start + g] - 127) / 10;
  }
  return count ? sums.map((sum) => sum / count) : null;
}

// P that so many (k) of n drugs, drawn from N of which K are of a MoA, would be of it, or more: hypergeometric.
function atLeast(k, n, K, N) {
  let p = 0;
  for (let i = k; i <= Math.min(n, K); i++) {
    p += Math.exp(logChoose(K, i) + logChoose(N - K, n - i) - logChoose(N, n));
  }
  return Math.min(1, p);
}

const logFactorials = [0];
function logFactorial(n) {
  for (let i = logFactorials.length; i <= n; i++) logFactorials.push(logFactorials[i - 1] + Math.log(i));
  return logFactorials[n];
}
const logChoose = (n, k) => (k < 0 || k > n ? -Infinity : logFactorial(n) - logFactorial(k) - logFactorial(n - k));

// The MoAs of some drugs, each tested for enrichment among the study's drugs, with Benjamini and Hochberg's q.
function enrichmentOf(drugs) {
  const known = drugs.filter((drug) => drug < study.n_study);
  const counts = new Map();
  for (const drug of known) for (const moa of moasOf(drug)) counts.set(moa, (counts.get(moa) || 0) + 1);
  const tested = range(study.moas.length).filter((moa) => study.size[moa] >= study.min_drugs);
  const rows = tested.map((moa) => {
    const k = counts.get(moa) || 0;
    return { moa, k, K: study.size[moa], n: known.length, N: study.n_study, p: atLeast(k, known.length, study.size[moa], study.n_study) };
  });
  rows.sort((a, b) => a.p - b.p || a.moa - b.moa);
  let least = 1;
  for (let i = rows.length - 1; i >= 0; i--) rows[i].q = least = Math.min(least, (rows[i].p * rows.length) / (i + 1));
  return rows.filter((row) => row.k > 0);
}

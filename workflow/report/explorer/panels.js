// The panel beside the map: what is said of a drug, a community, a MoA, a feature, a lasso, or of the study.
// Names enter by textContent only, through node().

function node(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "click") made.addEventListener("click", value);
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined).map((child) => (child instanceof Node ? child : String(child))));
  return made;
}

const link = (text, change) => node("button", { type: "button", class: "link", click: () => show(change) }, text);
const drugLink = (drug) => link(nameOf(drug), { drug, community: null, moa: null, lasso: null });
const communityLink = (community) => (community ? link(`community ${community}`, { community, drug: null, moa: null, lasso: null }) : "no community");
const moaLinks = (drug) => {
  const all = moasOf(drug).map((moa) => link(study.moas[moa], { moa, drug: null, community: null, lasso: null }));
  return all.length ? node("span", {}, ...all.flatMap((one, i) => (i ? [" | ", one] : [one]))) : "none known";
};

function digits(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  if (Number.isInteger(value) || value === 0) return String(value);
  return Math.abs(value) < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

const percent = (share) => `${(100 * share).toFixed(share > 0.99 && share < 1 ? 2 : share >= 0.1 ? 0 : 1)}%`;

// --- calibrated words, each with a sign ---

const YES = "✓", SO = "~", NO = "✗";

function inWords(kept) {
  if (kept === UNKNOWN || kept === undefined) return null;
  if (kept >= 75) return [YES, "stable"];
  return kept >= 50 ? [SO, "fairly stable"] : [NO, "unstable"];
}

const stability = (kept) => (inWords(kept) ? `${inWords(kept)[0]} ${kept}%` : "");
const chance = (p) => (p <= 0.05 ? [YES, `more than chance (p = ${digits(p)})`] : [NO, `no more than chance explains (p = ${digits(p)})`]);

function likely(probability) {
  if (probability >= 0.9) return ["●●●", "very likely"];
  if (probability >= 0.5) return ["●●○", "likely"];
  return probability >= 0.2 ? ["●○○", "possible, less likely than not"] : ["○○○", "unlikely"];
}

// What the null says of a MoA in a map; null where the map has none.
function verdictOf(map, moa) {
  const rows = map.info.null, at = rows ? rows.moa.indexOf(moa) : -1;
  if (at < 0) return null;
  const p = rows.p_adjusted[at] ?? rows.p_value[at];
  return { sign: chance(p)[0], text: `${p <= 0.05 ? "gathers beyond chance" : "gathers as by chance"} (adjusted p ${digits(p)})`, community: rows.community[at] };
}

const inSample = (map) => map.info.evidence.startsWith("in-sample");

// --- pieces ---

function fact(sign, ...children) {
  return node("li", {}, node("span", { class: "sign" }, sign), ...children);
}

function section(title, hint, ...children) {
  const head = node("div", { class: "head" }, node("h3", {}, title));
  return node("section", { class: "block" }, head, hint ? node("p", { class: "hint" }, hint) : null, ...children);
}

// A table with a button that saves it: columns are [title, row -> value, row -> what is shown in its place].
function table(title, hint, columns, rows, limit = 200) {
  const numeric = columns.map(([, value]) => rows.length > 0 && rows.every((row) => /^(number|> \d+)/.test(typeof (value(row) ?? 0) === "number" ? "number" : value(row))));
  const head = node("tr", {}, ...columns.map(([name], i) => node("th", { scope: "col", ...(numeric[i] ? { class: "number" } : {}) }, name)));
  const body = rows.slice(0, limit).map((row) => node("tr", {}, ...columns.map(([, value, shown], i) =>
    node("td", numeric[i] ? { class: "number" } : {}, shown ? shown(row) : typeof value(row) === "number" ? digits(value(row)) : value(row)))));
  const more = rows.length > limit ? `The first ${limit} of ${rows.length}; the CSV has all.` : null;
  const found = section(title, [hint, more].filter(Boolean).join(" "), rows.length
    ? node("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, node("table", {}, node("thead", {}, head), node("tbody", {}, ...body)))
    : node("p", {}, "None."));
  if (rows.length) {
    const save = () => download(`${title}.csv`, csv(columns, rows), "text/csv");
    found.querySelector(".head").append(node("button", { type: "button", "aria-label": `CSV: ${title}`, click: save }, "CSV"));
  }
  return found;
}

// As the project writes its own tables: text that a spreadsheet would run gets an apostrophe.
function csv(columns, rows) {
  const cell = (value) => {
    if (typeof value === "number") return String(value);
    const text = String(value ?? "");
    const safe = /^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const marked = study.simulated ? [...columns, ["data", () => "simulated"]] : columns;
  const lines = [marked.map(([name]) => cell(name)), ...rows.map((row) => marked.map(([, value]) => cell(value(row))))];
  return `${lines.map((line) => line.join(",")).join("\n")}\n`;
}

function download(file, content, type) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const simulated = study.simulated ? "simulated_" : "";
  const name = `${study.dataset}_${simulated}${file}`.replace(/[^\w.-]+/g, "_");
  node("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// Compartment and measurement by channel, as a table of coloured numbers.
async function heat(title, drugs) {
  const values = await signatureOf(drugs);
  if (!values) return null;
  const { groups } = study.features;
  const channels = [...new Set(groups.map((group) => group[2]))].sort((a, b) => order(a) - order(b));
  const lines = [...new Set(groups.map((group) => `${group[0]} · ${group[1]}`))];
  const colours = diverging();
  const at = (line, channel) => groups.findIndex((group) => `${group[0]} · ${group[1]}` === line && group[2] === channel);
  const body = lines.map((line) => node("tr", {}, node("th", { scope: "row" }, line), ...channels.map((channel) => {
    const value = values[at(line, channel)];
    if (value === undefined) return node("td", {});
    const colour = colours[Math.round(((Math.max(-3, Math.min(3, value)) + 3) / 6) * (STEPS - 1))];
    const shown = Math.abs(value).toFixed(1), sign = shown === "0.0" ? "" : value > 0 ? "+" : "−";
    const cell = node("td", {}, sign + shown);
    cell.style.backgroundColor = colour;
    cell.style.color = readable(colour);
    return cell;
  })));
  const head = node("tr", {}, node("td", {}), ...channels.map((channel) => node("th", { scope: "col", class: "number" }, channel)));
  const hint = "Mean deviation of the features of a group from the median drug, in robust standard deviations: + more than the others, − less; beyond ±1 is uncommon.";
  return section(title, hint, node("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
    node("table", { class: "heat" }, node("thead", {}, head), node("tbody", {}, ...body))));
}

const order = (channel) => ["several channels", "no channel"].indexOf(channel);

function readable(colour) {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const part = parseInt(colour.slice(i, i + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000000" : "#ffffff";
}

const columnsOfDrugs = (map, together) => [
  ["drug", (drug) => nameOf(drug), drugLink],
  ["id", (drug) => names.pert_id[drug]],
  ["MoA", moaText, moaLinks],
  ...(together ? [] : [["community", (drug) => map.community[drug] || null, (drug) => communityLink(map.community[drug])]]),
  ...(map.kept ? [["companions kept, %", (drug) => keptOf(map, drug), (drug) => stability(map.kept[drug])]] : []),
];
const keptOf = (map, drug) => (map.kept && drug < map.kept.length && map.kept[drug] !== UNKNOWN ? map.kept[drug] : null);

function enrichmentRows(map, community) {
  const all = map.info.enrichment;
  const rows = range(all.moa.length).filter((i) => all.community[i] === community);
  return rows.map((i) => Object.fromEntries(Object.entries(all).map(([key, values]) => [key, values[i]]))).sort((a, b) => a.p_value - b.p_value);
}

function enrichmentTable(map, community) {
  const hint = `Hypergeometric P of so many drugs of the MoA or more; q over all ${map.info.tested} community × MoA pairs of the map. ${inSample(map)
    ? "In-sample: the metric was learned from these MoAs, so P and q are too small; the null's verdict allows for that." : ""}`;
  const says = (row) => (map.info.null ? verdictOf(map, row.moa) : null);
  return table(`MoAs in community ${community}`, hint, [
    ["MoA", (row) => study.moas[row.moa], (row) => link(study.moas[row.moa], { moa: row.moa, drug: null, community: null, lasso: null })],
    ["enriched", (row) => (row.enriched ? `${YES} yes` : "no")],
    ["drugs here", (row) => row.k], ["in all", (row) => row.K], ["P", (row) => row.p_value], ["q", (row) => row.q_value],
    ["the null's verdict on the MoA", (row) => (says(row) ? `${says(row).sign} ${says(row).text}` : "not tested")],
  ], enrichmentRows(map, community));
}

function csifTable(map, community) {
  const found = map.info.csifs[community];
  if (!found) return null;
  const hint = `${found.count} features are community-specific (CSIFs). A ratio is the distance of two drugs within the community over that of any two; the least are listed.`;
  return table(`Features of community ${community}`, hint, [
    ["feature", ([feature]) => study.features.names[feature], ([feature]) => featureLink(feature)],
    ["intra-class ratio", ([, ratio]) => ratio],
  ], found.least);
}

const featureLink = (feature) => (study.features.kept.includes(feature)
  ? link(study.features.names[feature], { colour: "feature", feature }) : study.features.names[feature]);

function communityFact(map, community) {
  const kept = map.members.get(community).map((drug) => map.kept?.[drug]).filter((value) => value !== undefined && value !== UNKNOWN);
  if (!kept.length) return fact("?", "How stable it is, is not known.");
  const mean = Math.round(kept.reduce((a, b) => a + b, 0) / kept.length), [sign, word] = inWords(mean);
  return fact(sign, `The community is ${word}: in reruns (other seeds, 80% of the drugs, other preferences) a member keeps ${mean}% of its companions; any two drugs share a community in ${percent(map.info.sharing)} of them.`);
}

// --- the panels ---

async function drugPanel(map, drug) {
  const links = Object.entries(study.links).map(([title, template]) => node("a", { href: address(template, drug), target: "_blank", rel: "noopener noreferrer" }, title));
  const head = [node("h2", {}, nameOf(drug)), node("p", {}, `${names.pert_id[drug]}; MoA: `, moaLinks(drug), ...links.flatMap((one) => ["; ", one]))];
  if (drug >= map.n) return [...head, node("p", {}, `Not on the map ${map.name}: ${drug < study.n_study ? "" : "its MoA is not known, so it is "}only on ${await mapsWith(drug)}.`)];
  const community = map.community[drug], nearest = nearestOf(map, drug);
  const others = study.maps.map((name, i) => [name, i]).filter(([name]) => name !== map.name);
  const nearestTable = table(`Nearest drugs of ${nameOf(drug)}`, `On the map ${map.name}. Association: share of all pairs of drugs that are farther apart. Ranks of the same drug on the other maps, where it is among the ${study.ranked} nearest.`, [
    ["", (row) => nearest.indexOf(row) + 1],
    ["drug", (row) => nameOf(row.drug), (row) => drugLink(row.drug)],
    ["MoA", (row) => moaText(row.drug), (row) => moaLinks(row.drug)],
    ["association", (row) => row.association, (row) => percent(row.association)], ["distance", (row) => row.distance],
    ["community", (row) => map.community[row.drug], (row) => (map.community[row.drug] === community ? `${YES} same` : map.community[row.drug])],
    ...others.map(([name, i]) => [`rank in ${name}`, (row) => row.ranks[i] || `> ${study.ranked}`]),
  ], nearest);
  return [...head, await facts(map, drug, nearest), proposalTable(drug), nearestTable,
    await heat(`Signature of ${nameOf(drug)}`, [drug]), oppositeTable(map, drug),
    community ? table(`Members of community ${community}`, `Of the map ${map.name}. Companions kept: share of a drug's companions that stay with it in the reruns.`, columnsOfDrugs(map, true), map.members.get(community)) : null,
    community ? enrichmentTable(map, community) : null, community ? csifTable(map, community) : null];
}

async function mapsWith(drug) {
  const all = await Promise.all(study.maps.map(openMap));
  return all.filter((map) => drug < map.n).map((map) => map.name).join(", ") || "no map";
}

// MoAs counted as wholes hide that two of them share a part.
function inPart(drug, nearest) {
  const partsOf = (one) => moasOf(one).flatMap((moa) => study.moas[moa].split("|").map((part) => part.trim()));
  const own = partsOf(drug);
  const others = nearest.filter((row) => !moasOf(row.drug).some((moa) => moasOf(drug).includes(moa)) && partsOf(row.drug).some((part) => own.includes(part)));
  return others.length ? ` A part of its MoA is also that of ${others.map((row) => nameOf(row.drug)).join(", ")}.` : "";
}

function oppositeTable(map, drug) {
  const rows = oppositesOf(map, drug);
  const hint = rows.length ? `Their deviation from the average drug points the other way on the map ${map.name}: cosine −1 is exactly opposite, 0 unrelated.`
    : "Not computed here: the map has no coordinates (cross-fitted), too many drugs, or this compound is placed on it.";
  return table(`Opposite profiles of ${nameOf(drug)}`, hint, [
    ["drug", (row) => nameOf(row.drug), (row) => drugLink(row.drug)], ["MoA", (row) => moaText(row.drug), (row) => moaLinks(row.drug)],
    ["cosine", (row) => Number(row.cosine.toFixed(2))],
  ], rows);
}

async function facts(map, drug, nearest) {
  const list = [];
  const community = map.community[drug];
  if (isPlaced(drug)) list.push(fact("△", "This compound was placed on the finished map; the map was not made from it."));
  if (inSample(map)) list.push(fact("!", `On the map ${map.name} drugs of one MoA lie together because the metric was learned from their MoAs. Look at ${study.maps.includes(`${map.name}_crossfit`) ? `${map.name}_crossfit` : "another map"} before believing it.`));
  if (community) {
    const others = map.members.get(community).length - 1, kept = inWords(map.kept?.[drug]);
    list.push(fact(kept ? kept[0] : "?", "It is in ", communityLink(community), others ? ` with ${others} other drugs` : " alone",
      kept ? `. Its place is ${kept[1]}: ${map.kept[drug]}% of its companions stay with it in reruns; any two drugs share a community in ${percent(map.info.sharing)}.` : "."));
  }
  const first = nearest[0], same = nearest.filter((row) => moasOf(row.drug).some((moa) => moasOf(drug).includes(moa))).length;
  list.push(fact("→", "Nearest: ", drugLink(first.drug), ` (${moaText(first.drug)}), nearer than ${percent(first.association)} of all pairs.`));
  const own = moasOf(drug);
  if (own.length && drug < study.n_study) {
    const fellows = own.reduce((sum, moa) => sum + study.size[moa] - 1, 0), expected = (nearest.length * fellows) / (study.n_study - 1);
    const p = atLeast(same, nearest.length, fellows, study.n_study - 1);
    list.push(fact(fellows ? chance(p)[0] : "?", fellows ? `Of its ${nearest.length} nearest, ${same} share${same === 1 ? "s" : ""} its MoA; by chance it would be ${digits(expected)}: ${chance(p)[1]}.${inPart(drug, nearest)}` : "No other drug has its MoA, so the MoA cannot confirm its place."));
  }
  const enriched = community ? enrichmentRows(map, community).filter((row) => row.enriched && row.k > 1) : [];
  for (const row of enriched.slice(0, 3)) {
    const says = verdictOf(map, row.moa);
    list.push(fact(says ? says.sign : "?", `Its community is enriched in ${study.moas[row.moa]} (${row.k} of ${row.K} drugs, P ${digits(row.p_value)}); ${says ? `against permuted labels that MoA ${says.text}` : "it was not held against permuted labels"}.`));
  }
  return node("ul", { class: "facts" }, ...list);
}

// Today's candidates and those with probabilities alike: a row for each MoA (or partner), and whatever else is said of it.
function proposalTable(drug) {
  const rows = (study.proposalsOf.get(drug) || []).flatMap((row) => row.moas.map(([moa, probability]) => ({ ...row.details, kind: row.kind, moa, probability })));
  if (!rows.length) return null;
  const told = rows.some((row) => row.probability !== null), standsOut = (row) => row.q_value < 0.05;
  const details = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((key) => !["kind", "moa", "probability"].includes(key));
  const verdict = rows.every((row) => row.q_value === undefined) ? "" : rows.some(standsOut) ? `${YES} One stands out from chance (q below 0.05).`
    : `${NO} None can be told from chance (q ${digits(Math.min(...rows.map((row) => row.q_value ?? 1)))}): a ranked list, not evidence.`;
  return table(`Proposals for ${nameOf(drug)}`, verdict, [
    ["kind", (row) => row.kind], ["MoA or drug", (row) => row.moa],
    ...(told ? [["probability", (row) => row.probability], ["in words", (row) => (row.probability === null ? "" : likely(row.probability).join(" "))]] : []),
    ...details.map((key) => [key.replaceAll("_", " "), (row) => row[key] ?? ""]),
  ], rows);
}

// A drug on every map.
async function everywhere(drug) {
  const maps = await Promise.all(study.maps.map(async (name) => detailsOf(await openMap(name))));
  return table(`${nameOf(drug)} on every map`, "", [
    ["map", (map) => map.name, (map) => link(map.name, { map: map.name })],
    ["MoA labels", (map) => map.info.evidence.split(":")[0]],
    ["community", (map) => map.community[drug]], ["members", (map) => map.members.get(map.community[drug]).length],
    ["companions kept, %", (map) => keptOf(map, drug), (map) => stability(map.kept?.[drug])],
    ["nearest drug", (map) => nameOf(nearestOf(map, drug)[0].drug), (map) => drugLink(nearestOf(map, drug)[0].drug)],
  ], maps.filter((map) => drug < map.n));
}

async function communityPanel(map, community) {
  const drugs = map.members.get(community);
  if (!drugs) return [node("h2", {}, `Community ${community}`), node("p", {}, `The map ${map.name} has no such community.`)];
  const exemplar = map.info.exemplars[community];
  return [node("h2", {}, `Community ${community} of ${map.name}`),
    node("ul", { class: "facts" }, fact("·", `${drugs.length} drugs`, ...(exemplar === undefined ? [] : [" around ", drugLink(exemplar), " (the exemplar)"]), "."), communityFact(map, community)),
    enrichmentTable(map, community), table(`Members of community ${community}`, "", columnsOfDrugs(map, true), drugs),
    csifTable(map, community), await heat(`Signature of community ${community}`, drugs)];
}

async function moaPanel(map, moa) {
  const drugs = drugsOfMoa(moa).filter((drug) => drug < map.n);
  const maps = await Promise.all(study.maps.map(openMap));
  const says = maps.map((one) => [one, verdictOf(one, moa)]);
  const list = says.map(([one, verdict]) => fact(verdict ? verdict.sign : "?", `${one.name}: ${verdict ? `${verdict.text}, most in community ${verdict.community}` : study.size[moa] < study.min_drugs ? "too few drugs to be tested" : "not held against permuted labels"}; ${one.info.evidence.split(":")[0]}.`));
  return [node("h2", {}, study.moas[moa]), node("p", {}, `${study.size[moa]} drugs of the study. Do they gather in a community more than with permuted labels?`),
    node("ul", { class: "facts" }, ...list), table(`Drugs of ${study.moas[moa]}`, `On the map ${map.name}.`, columnsOfDrugs(map), drugs), await heat(`Signature of ${study.moas[moa]}`, drugs)];
}

async function lassoPanel(map, drugs) {
  const rows = enrichmentOf(drugs);
  return [node("h2", {}, `${drugs.length} drugs in the lasso`),
    table("Enrichment of the lasso", "Hypergeometric P, and q over all tested MoAs. The lasso was drawn by looking at the map, so these numbers describe it and prove nothing.", [
      ["MoA", (row) => study.moas[row.moa], (row) => link(study.moas[row.moa], { moa: row.moa, drug: null, community: null, lasso: null })],
      ["drugs here", (row) => row.k], ["in all", (row) => row.K], ["P", (row) => row.p], ["q", (row) => row.q]], rows),
    table("Drugs in the lasso", `On the map ${map.name}.`, columnsOfDrugs(map), drugs), await heat("Signature of the lasso", drugs)];
}

async function featurePanel(map, feature) {
  const values = await featureValues(feature);
  const drugs = range(map.n).filter((i) => i < values.length && !Number.isNaN(values[i])).sort((a, b) => values[b] - values[a]);
  const ends = drugs.length > 30 ? [...drugs.slice(0, 15), ...drugs.slice(-15)] : drugs;
  return [node("h2", {}, study.features.names[feature]), table("Most and least", "Deviation from the median drug, in robust standard deviations (cut off at ±12.7): the 15 highest and the 15 lowest.",
    [["deviation", (drug) => Number(values[drug].toFixed(1))], ...columnsOfDrugs(map)], ends)];
}

async function welcome() {
  const maps = await Promise.all(study.maps.map(openMap));
  const together = (map) => map.info.together;
  return [node("h2", {}, "What this map shows"),
    node("p", {}, `${study.n_study} drugs${study.n > study.n_study ? ` and ${study.n - study.n_study} compounds without a known MoA` : ""} by the look of the cells they were given to. Find a drug above, or choose a point. Near means alike on the map chosen; each map compares drugs in another way.`),
    table("How far to trust each map", "Pairs of drugs of one MoA that share a community, against permuted labels; how alike the communities are in reruns (adjusted Rand index: 1 identical, 0 chance).", [
      ["map", (map) => map.name, (map) => link(map.name, { map: map.name })],
      ["MoA labels", (map) => map.info.evidence],
      ["communities", (map) => map.members.size - (map.members.has(0) ? 1 : 0)],
      ["pairs of one MoA together", (map) => (together(map) ? `${digits(together(map).observed)}; by chance ${digits(together(map).null_mean)}` : "not validated")],
      ["verdict", (map) => (together(map) ? chance(together(map).p_value).join(" ") : "?")],
      ["reruns agree", (map) => (map.info.rand ? Object.entries(map.info.rand).map(([kind, value]) => `${kind} ${digits(value)}`).join(", ") : "not validated")],
    ], maps)];
}

function address(template, drug) {
  const values = { pert_id: names.pert_id[drug], pert_iname: nameOf(drug), moa: study.labels[label[drug]] ?? "" };
  return template.replace(/\{(\w+)\}/g, (_, column) => encodeURIComponent(values[column]));
}

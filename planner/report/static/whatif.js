/* What every option costs, and whether it keeps the limits, at other settings: the formulas of planner/decide/levers.py for
   one setting at a time. It touches no document; a test holds it against Python. Unknown figures are null. */
var PlannerWhatIf = (function () {
  "use strict";

  var SAME = 1e-6;

  function number(value) { return value === null || value === undefined ? NaN : value; }

  /* Straight lines between knots, level beyond the ends. */
  function between(table, knots, at) {
    var last = knots.length - 1, x = Math.min(Math.max(at, knots[0]), knots[last]), below = 0;
    while (below < last - 1 && knots[below + 1] <= x) below++;
    var share = (x - knots[below]) / (knots[below + 1] - knots[below]);
    return number(table[below]) * (1 - share) + number(table[below + 1]) * share;
  }

  function atContext(data, row, context) {
    if (context === 1 || !row) return 1;
    return Math.exp(between(row.map(function (v) { return Math.log(number(v)); }), data.contexts.map(Math.log2), Math.log2(context)));
  }

  /* The price of an option in a region, in times of the plan's; null where it is not sold there. Regions stand in the options
     by their place in data.regions, under their price. */
  function there(data, option, region) {
    var at = data.regions.indexOf(region), found = null;
    Object.keys(option.regions).forEach(function (price) { if (option.regions[price].indexOf(at) >= 0) found = +price; });
    return found;
  }

  function price(data, option, settings) {
    var found = settings.region ? there(data, option, settings.region) : 1, here = found === null ? 1 : found;
    var term = settings.prices[option.term];
    return here * (term === undefined ? 1 : term);
  }

  function watts(basis, option, count, load) {
    var drawn = count * (option.idle + option.busy * (basis.ends ? 1 : Math.min(1, load)));
    return drawn > 0 ? drawn : 1;
  }

  function nodes(sites, option, count) { return sites * Math.ceil(count / sites / option.per_node - SAME); }

  function sold(data, option, region) {
    return !region || !Object.keys(option.regions).length || there(data, option, region) !== null;
  }

  function keeps(data, option, settings, now) {
    var limits = data.basis.limits;
    if (option.stuck || !sold(data, option, settings.region)) return false;
    if (limits.devices !== undefined && !(now.count * option.each <= limits.devices)) return false;
    if (limits.budget !== undefined && !(now.cost <= limits.budget)) return false;
    if (!data.basis.grows && !(now.rate * now.count >= now.need * (1 - SAME))) return false;
    return Object.keys(option.latency).every(function (name) { return now.latency[name] <= limits[name]; });
  }

  function latencies(data, option, settings, full, rate) {
    var found = {};
    Object.keys(option.latency).forEach(function (name) {
      var later = option.rate / rate;
      if (name === "ttft") {
        var waits = option.waits.length ? between(option.waits, data.loads, full) / between(option.waits, data.loads, data.basis.utilisation) : 1;
        later = waits / settings.efficiency * atContext(data, option.longer.ttft, settings.context);
      }
      found[name] = option.latency[name] * later;
    });
    return found;
  }

  function one(data, option, settings) {
    var basis = data.basis, full = basis.ends ? 1 : settings.utilisation;
    var rate = option.rate * settings.efficiency * atContext(data, option.longer.rate, settings.context);
    var need = data.demand * settings.traffic;
    var unit = basis.sites * option.group; // instances are added so many at a time
    var count = basis.grows ? unit * Math.max(1, Math.ceil(need / (rate * full * unit) - SAME)) + option.spare : option.instances;
    var hours = basis.ends ? settings.traffic * option.rate * option.instances / (rate * count) : 1;
    var ratios = {
      instances: count / option.instances, hours: hours, nodes: nodes(basis.sites, option, count) / nodes(basis.sites, option, option.instances),
      price: price(data, option, settings), life: 1 / settings.horizon, electricity: settings.electricity,
      energy: watts(basis, option, count, need / (rate * count)) /
        watts(basis, option, option.instances, data.demand / (option.rate * option.instances))
    };
    var cost = option.amounts.reduce(function (sum, amount, k) {
      return sum + (amount ? data.parts[k].reduce(function (part, name) { return part * ratios[name]; }, amount) : 0);
    }, 0);
    var now = { cost: cost, count: count, rate: rate, need: need, latency: latencies(data, option, settings, full, rate) };
    now.keeps = keeps(data, option, settings, now);
    return now;
  }

  /* Settings as the plan has them. */
  function planned(data) {
    return { traffic: 1, utilisation: data.basis.utilisation, efficiency: 1, electricity: 1, horizon: 1, context: 1, prices: {}, region: "" };
  }

  function evaluate(data, settings) {
    return data.options.map(function (option) { return one(data, Object.assign({}, data.usual, option), settings); });
  }

  return { evaluate: evaluate, planned: planned };
})();

// Asks items by rule.
const is = { '>=': (a, b) => a >= b, '<=': (a, b) => a <= b, '==': (a, b) => a === b };
for (const row of document.querySelectorAll('[data-rule]')) {
  const { any_of, op, value } = JSON.parse(row.dataset.rule);
  const ask = () => {
    const said = {};
    for (const [name, text] of new FormData(row.closest('form')))
      if (text) said[name.replace(/_value$/, '')] = +text.replaceAll(',', '');
    row.hidden = !(row.id in said) && !any_of.some((one) => is[op](said[one], value));
  };
  addEventListener('change', ask);
  ask();
}

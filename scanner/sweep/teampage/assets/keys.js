// The keyboard: the same keys as in the HTML report, and x to select.

// listen runs one of actions for each key that is pressed outside of a field.
export function listen(actions) {
  const help = document.getElementById('keys');
  document.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || help.open || e.isComposing) return;
    const typing = e.target.matches('input:not([type=checkbox]), select, textarea');
    if (e.key === 'Escape') {
      actions.escape(typing);
      return;
    }
    if (typing) return;
    const name = { '/': 'search', j: 'next', k: 'previous', ArrowDown: 'next', ArrowUp: 'previous', x: 'select', r: 'refresh' }[e.key];
    if (e.key === '?') {
      e.preventDefault();
      help.showModal();
      return;
    }
    if (!name || (e.key.startsWith('Arrow') && !e.target.closest('#list .line'))) return;
    e.preventDefault();
    actions[name]();
  });
}

// The theme calls every part that scrolls "scrollable content": landmarks of one page need names of their own.
window.addEventListener("load", () => {
  const names = { "nav-sidebar-apps": "List of tables", "changelist-filter": "Filters" };
  document.querySelectorAll(".simplebar-content-wrapper").forEach((part, place) => {
    const owner = part.closest("[id]:not(.simplebar-content-wrapper)");
    part.setAttribute("aria-label", names[owner?.id] ?? `Rows, scrollable ${place + 1}`);
  });
});

"""The pages of detection: how today's customers differ from those of the calibration."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from governance.detection.active_calibration import get_active_calibration
from governance.detection.calibration import CalibrationError
from governance.detection.detectors import all_detectors
from governance.detection.drift import FEWEST, MOVED, WATCH, Verdict, compare
from governance.detection.queries import RECENT, SAMPLED, load_assessed_accounts
from governance.staff.roles import VIEW_CALIBRATIONS
from governance.web.requests import StaffRequest


@never_cache
@require_safe
@permission_required(VIEW_CALIBRATIONS, raise_exception=True)
def drift(request: StaffRequest) -> HttpResponse:
    try:
        calibration = get_active_calibration()
    except CalibrationError as error:
        return render(request, "detection/drift.html", {"problem": str(error)})
    today = load_assessed_accounts(now=timezone.now())
    reference = calibration.reference
    is_comparable = reference is not None and len(today) >= FEWEST
    titles = {detector.name: detector.title for detector in all_detectors()}
    lines = [*compare(reference, today, titles)] if reference is not None and is_comparable else []
    context = {
        "calibration": calibration,
        "reference": reference,
        "accounts": len(today),
        "is_sample": len(today) >= SAMPLED,
        "days": RECENT.days,
        "fewest": FEWEST,
        "watch_from": WATCH,
        "moved_from": MOVED,
        "lines": lines,
        "moved": sum(line.verdict is Verdict.MOVED for line in lines),
        "watched": sum(line.verdict is Verdict.WATCH for line in lines),
    }
    return render(request, "detection/drift.html", context)

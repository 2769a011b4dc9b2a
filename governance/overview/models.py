"""What is measured now and then, since it takes too long to be read with every page."""

from django.db import models


class HarmMeasure(models.Model):
    """How much is still served to suspected accounts, and how much was stopped: the last measure of each UTC day."""

    day = models.DateField(primary_key=True)
    measured_at = models.DateTimeField()
    accounts_in_flight = models.IntegerField(help_text="Accounts with an open case that were served in 24 hours.")
    requests_in_flight = models.BigIntegerField(help_text="Requests of these accounts in 24 hours.")
    tokens_in_flight = models.BigIntegerField(help_text="Output tokens that these accounts got in 24 hours.")
    accounts_stopped = models.IntegerField(help_text="Accounts that are refused now.")
    tokens_stopped = models.BigIntegerField(
        help_text="Output tokens that these accounts got a day, in the 7 days before they were refused."
    )
    requests_refused = models.BigIntegerField(help_text="Requests that gateways have refused, as they reported.")
    median_to_decide = models.DurationField(
        null=True, help_text="Median time from opening to deciding, of the cases decided in the 28 days to then."
    )

    class Meta:
        verbose_name = "harm measure"
        verbose_name_plural = "harm measures"
        ordering = ("-day",)

    def __str__(self) -> str:
        return str(self.day)


class DailyMedian(models.Model):
    """The median time from opening to deciding, of the cases decided on a UTC day, as measured at a time after it."""

    day = models.DateField(primary_key=True)
    measured_at = models.DateTimeField()
    median_to_decide = models.DurationField(null=True, help_text="Null if no case was decided.")

    class Meta:
        verbose_name = "daily median"
        verbose_name_plural = "daily medians"
        ordering = ("-day",)

    def __str__(self) -> str:
        return str(self.day)

"""Accounts: personal, one person each (P-4)."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from torwart.kernel.role import Role


class UserManager(BaseUserManager["User"]):
    """Finds accounts by their e-mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """One person who signs in, by e-mail address. ``client`` is ``None`` for the provider's own people.

    ``roles``: words of ``kernel.role``, all of one side. ``is_active`` is false while the account is locked
    (``locked_reason`` says why) or the person has left.
    """

    email = models.EmailField(unique=True)
    name = models.TextField()
    first_name = models.TextField(default="", db_default="")
    phone = models.TextField(default="", db_default="")
    language = models.CharField(max_length=2, default="de", db_default="de")
    client = models.ForeignKey("Client", on_delete=models.PROTECT, null=True, related_name="users")
    roles = ArrayField(models.TextField(), default=list, db_default=[])
    is_active = models.BooleanField(default=True, db_default=True)
    locked_reason = models.TextField(default="", db_default="")
    created_at = models.DateTimeField(db_default=Now())

    objects = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]  # noqa: RUF012 – a list by its base class

    class Meta:
        constraints = (models.UniqueConstraint(models.functions.Lower("email"), name="user_email"),)

    @property
    def is_provider(self) -> bool:
        return self.client_id is None

    def has_role(self, role: Role) -> bool:
        return role.value in self.roles

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.name}".strip()

    def __str__(self) -> str:
        return self.email

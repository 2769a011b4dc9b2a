"""The vocabulary that every subject shares: people, places, goods, trades, times."""

from governance.demo.grammar import Grammar

WORDS = Grammar(
    {
        "name": """
            Amara | Bence | Carla | Dagny | Elif | Farid | Greta | Hamza | Ines | Jonas | Keiko | Leila
            Mateo | Nadia
            Oskar | Priya | Quentin | Rosa | Stefan | Tariq | Ulla | Viktor | Wanda | Ximena | Yusuf | Zofia
            Anselm
            Brigid | Cyril | Dorota | Emeka | Fiona | Gustav | Hana | Ivo | Jelena | Kofi | Linnea | Marek
            Noor
        """,
        "surname": """
            Abara | Bergdahl | Castellane | Dvorsky | Eastlake | Farrow | Gunther | Hallam | Iverness
            Jarosz | Kettner
            Lindqvist | Marlowe | Novell | Okonjo | Pereira | Quist | Rasmussen | Sarkany | Tamura | Ueda
            Vasari
            Wexham | Yilmaz | Zeller | Ashdown | Brandt | Calloway | Devereux | Engstrom
        """,
        "city": """
            Utrecht | Porto | Leeds | Gdansk | Turin | Lyon | Bergen | Graz | Ghent | Brno | Valencia | Cork
            Aarhus
            Tampere | Leipzig | Toronto | Austin | Denver | Portland | Osaka | Busan | Pune | Nairobi
            Accra | Lima
            Medellin | Curitiba | Hobart | Wellington | Dunedin | Izmir | Thessaloniki | Tallinn | Riga
            Split
        """,
        "month": """
            January | February | March | April | May | June | July | August | September | October | November
            December
        """,
        "weekday": "Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | Sunday",
        "clock": "{8-19}:{10-59}",
        "day_of_month": "{1-28} {month}",
        "product": """
            cordless drill | espresso machine | rain jacket | desk lamp | standing desk | hiking backpack
            air purifier
            bike helmet | baby monitor | noise-cancelling headset | robot vacuum | stand mixer
            sleeping bag | office chair
            water filter | garden hose | running shoes | e-reader | mechanical keyboard | pressure washer
            camping stove
            folding bike | wool blanket | smart thermostat | dehumidifier | paddle board | cast-iron pan
            dash camera
            bread maker | projector | electric toothbrush | suitcase | ladder | greenhouse kit
            label printer | sewing machine
        """,
        "quality": """
            lightweight | foldable | waterproof | quiet | rechargeable | compact | second-generation
            refurbished
            heavy-duty | entry-level | limited-edition | solar-powered | wall-mounted | left-handed
            extra-long
        """,
        "colour": """
            slate grey | forest green | cobalt | cream | rust | matt black | pale yellow | burgundy | sand
            teal
        """,
        "trade": """
            freight forwarding | dental supplies | property management | payroll | veterinary care
            solar installation
            event catering | car leasing | craft brewing | legal translation | school transport
            furniture retail
            hotel booking | water treatment | insurance broking | textile recycling | museum ticketing
            fleet repair
            home care | seed breeding | medical billing | grocery delivery | wind maintenance
            facility cleaning
        """,
        "department": """
            accounts payable | field service | procurement | customer success | quality assurance | legal
            warehouse
            human resources | IT operations | marketing | compliance | product design | finance | training
            logistics
        """,
        "order": """
            {10-99}-{10000-99999} | #{100000-999999} | ORD-{2024-2026}-{1000-9999}
            {10-99}/{1000-9999}/{10-99}
        """,
        "euros": "{12-98} euros | {100-980} euros | {1-9},{100-999} euros | {19-89}.{10-99} EUR",
        "language": """
            German | French | Spanish | Italian | Dutch | Polish | Portuguese | Czech | Danish | Swedish
            Japanese | Korean
            Turkish | Greek | Finnish | Hungarian
        """,
    }
)

"""Names in Chinese: titles, people, organisations, places, and what a text keeps speaking of.

Chinese has no capitals, so a name is known by its marks (《》, ·), by what it ends in (公司, 大学, 市), by
the word beside it (总经理张伟), by a short list, or by how often it stands there. What no rule knows is
not found. Traditional characters are read as simplified ones, one for one. Pure.
"""

import re
from collections import Counter

from core.entities import EntityKind, Mention
from core.text import CJK
from retrieval.terms import simplify

_C = f"[{CJK}]"
# What a name does not reach back over. A character that begins a word within names is let through there.
_BREAK = re.compile(
    "[的在是与及或将把被由向从到至了为该此其并而但就也都又着过说称叫让使给这那每各位名个因如曾已还年月]"
    "|和(?![国平田])|以(?!色)|有(?!限)|对(?!外)|于|自(?![治由])|即|等|经(?![济营贸])|日(?![本内])|[成创]立|毕业"
    "|任职|前往|表示|拥护|支持|反对|[建设]立|组成|来到|进入|涌入|担任|属于?|隶属|包括|通过|根据|目前|当时|面临|靠近|领先|听|去|最[大高长早]|第[一二三四五六七八九十]"
)
_ORGANISATION_END = (
    "股份有限公司|有限责任公司|有限公司|公司|集团|大学|学院|中学|小学|研究所|研究院|科学院|医院|银行|委员会|协会|学会|"
    "基金会|联盟|工厂|出版社|电视台|报社|博物馆|图书馆|事务所|办公室|俱乐部|乐团|法院|检察院|国会|议会|教会|政府|党|"
    "[财务销售研发采购生产人事质量技术市场工程维修仓储行政教育外交国防交通]{2}部"
)
_PLACE_END = (
    "自治区|自治州|特别行政区|共和国|王国|帝国|半岛|群岛|列岛|盆地|高原|平原|山脉|沙漠|海峡|机场|车站|码头|大桥|大道|公园|"
    "广场|体育场|仓库|车间|工业园|开发区|(?:[省市县镇乡村州郡岛山河湖江海街寺庙宫城港](?![长民级委议府内区界场中口关籍水上流域人型]))|路(?![线径由上面德过])"
)
_NO_NAMES = frozenset(
    re.findall(
        r"\w+",
    "城市 都市 县市 省市 山河 江河 河山 大海 江湖 下海 出海 公路 铁路 道路 马路 大路 网路 思路 电路 线路 乡村 农村 山村 "
    "海岛 火山 高山 登山 皇宫 港口 古城 全省 全市 全县 本市 本省 本县 外省 外海 沿海 超市 股市 上市 门市 夜市 大街 上街 "
    "山路 水路 陆路 一路 后宫 子宫 冰山 直辖市 大学 中学 小学 医院 银行 公司 集团 学院 法院 议会 教会 工厂 政府 群岛 列岛 "
    "我们 他们 她们 它们 自己 没有 可以 可能 不同 不是 开始 时间 时候 之后 之前 以后 以前 之间 之一 一些 一种 一个 许多 "
    "所有 主要 重要 进行 使用 认为 成为 作为 由于 因此 因为 如果 虽然 但是 并且 其中 其他 以及 问题 部分 方面 情况 工作 "
    "世纪 公里 平方公里 公元 人口 地区 国家 世界 系统 方法 过程 应当 必须 需要 每年 每月 每天 小时 分钟 工作日",
    )
)
_BEFORE_ORGANISATION = re.compile(rf"{_C}{{1,12}}?(?:{_ORGANISATION_END})")
_BEFORE_PLACE = re.compile(rf"{_C}{{1,8}}?(?:{_PLACE_END})")
_TITLE = re.compile("《([^《》\n]{1,40})》")
_QUOTED = re.compile(rf"[“「『]([{CJK}A-Za-z0-9·-]{{2,12}})[”」』]")
_SOUND = (  # characters that foreign names are written with
    "[阿埃艾爱安昂奥巴班邦包鲍贝本比彼宾波伯博布查柴达大戴丹道德登邓迪蒂丁东杜顿多厄恩尔法凡范菲费芬冯弗福夫富盖甘冈高戈格根古瓜哈海汉豪赫亨洪"
    "侯霍胡华惠基吉季加贾简杰金津卡凯坎康考科克肯孔库奎昆拉莱赖兰朗劳勒雷黎里理利莉丽立连列廉连林琳龙隆卢鲁路伦罗洛吕略马玛迈麦曼毛梅门蒙孟米密明摩莫默姆木穆纳"
    "娜奈南内尼妮涅宁纽努诺欧帕派潘庞佩彭皮平坡珀蒲普奇齐乔切琼丘区屈让热日荣茹瑞若撒萨塞赛桑瑟森莎沙珊尚绍舍申圣生施什石史寿舒司丝斯松苏索塔太泰坦汤唐"
    "陶特腾提汀廷通图屠托陀瓦万旺威韦维卫魏温文翁沃乌武伍西希锡夏香肖谢辛欣兴雄休许雪雅亚延扬尧耶叶伊衣易英尤于约扎詹泽曾增哲珍芝周朱祖佐兹子紫]"
)
_FOREIGN = re.compile(f"{_SOUND}{{1,6}}(?:[·•・‧]{_SOUND}{{1,6}})+")
# Of these a run of three is a foreign name even without a dot: 爱丁堡, 杰克逊维尔.
_RARE_SOUND = (
    "[阿埃艾爱昂奥巴邦鲍贝彼宾波伯博布戴丹登邓迪蒂丁敦顿厄恩尔凡范菲费芬弗福夫盖甘戈格哈赫亨霍胡基吉贾杰坎康考科克肯库奎昆拉莱赖兰劳勒雷黎里利莉丽林琳隆"
    "卢鲁伦罗洛吕玛迈麦曼梅蒙孟莫默姆穆纳娜奈内尼妮涅宁纽努诺欧帕潘庞佩彭珀普奇齐乔琼丘茹瑞萨塞赛桑瑟森莎沙珊绍舍圣施史斯丝松苏索塔泰坦汤唐陶特腾汀廷图托陀"
    "瓦万旺威维魏温沃乌伍西希锡夏香肖谢辛欣逊雪雅亚扬耶伊尤约詹泽珍芝朱兹佐堡]"
)
_FOREIGN_WITHOUT_DOT = re.compile(f"{_RARE_SOUND}{{3,10}}")
_SURNAME = (
    "(?:欧阳|司马|上官|诸葛|司徒|慕容|[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许邓韩冯曹彭曾肖萧田董袁潘蒋蔡余杜叶程苏魏吕丁"
    "任沈姚卢姜崔钟谭陆汪范石廖贾夏韦付方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严武戴莫孔向汤])"
)
_OFFICE = (
    "(?:总经理|总裁|董事长|经理|主任|主席|总统|总理|部长|市长|院长|校长|教授|博士|工程师|主管|组长|厂长|负责人|联系人|创始人|"
    "皇帝|将军|导演|作家|诗人|同学|先生|女士|老师)"
)
_GIVEN = f"(?![和与及是在于的]){_C}(?:(?![是于在和与及的任说为有也了等先后出生提介主表负发创率担获]){_C})?"
_AFTER_OFFICE = re.compile(rf"{_OFFICE}(?:[:：是为]\s?)?({_SURNAME}{_GIVEN})(?!{_C}?{_OFFICE})")
_BEFORE_OFFICE = re.compile(f"(?<!{_C})({_SURNAME}{_C}{{1,2}})(?={_OFFICE})")
_DOES = "(?:毕业|就读|加入|来自|任|担任|出任|是|于|在|生于|出生|说|表示|认为|指出|率|创|提出|发表|获|负责|主持|[，,、（(：:])"
_ACTS = re.compile(rf"(?:^|(?<=[。，、；！？\n：:（(和与及由]))({_SURNAME}{_C}{{1,2}}?)(?={_DOES})")
# What does something that only companies, products and places do, or is held an office of.
_DOER = re.compile(
    rf"(?:^|(?<=[。，、；！？\n：:]))({_C}{{2,10}}?)(?=收购|并购|成立于|创立于|位于|隶属|供应|总部|坐落|由{_C}{{1,8}}(?:创立|成立|供应|生产))"
)
_OWNER = re.compile(rf"(?<=[是为任])({_C}{{2,10}}?)(?=的(?:{_OFFICE}|{_C}{{0,4}}供应商|客户|子公司))")
_KNOWN_PLACE = re.compile(
    "中华人民共和国|中国|美国|英国|法国|德国|日本|俄罗斯|苏联|韩国|朝鲜|印度尼西亚|印尼|印度|意大利|义大利|西班牙|葡萄牙|荷兰|"
    "比利时|瑞士|瑞典|挪威|丹麦|芬兰|波兰|奥地利|匈牙利|希腊|土耳其|埃及|以色列|伊朗|伊拉克|沙特阿拉伯|澳大利亚|澳洲|新西兰|"
    "纽西兰|加拿大|墨西哥|巴西|阿根廷|智利|南非|尼日利亚|越南|泰国|马来西亚|新加坡|菲律宾|缅甸|柬埔寨|蒙古|欧洲|亚洲|非洲|"
    "北美洲|南美洲|北京|上海|天津|重庆|广州|深圳|香港|澳门|台湾|台北|高雄|台中|台南|南京|杭州|苏州|武汉|成都|西安|沈阳|大连|"
    "青岛|济南|郑州|长沙|福州|厦门|昆明|哈尔滨|东京|大阪|京都|纽约|华盛顿|洛杉矶|旧金山|芝加哥|伦敦|巴黎|柏林|罗马|莫斯科|"
    "维也纳|首尔|曼谷|悉尼|雪梨|鹿特丹|法兰克福|慕尼黑|江苏|浙江|广东|福建|四川|湖南|湖北|河南|河北|山东|山西|陕西|云南|"
    "贵州|广西|江西|安徽|辽宁|吉林|黑龙江|甘肃|青海|新疆|西藏|海南"
)
_DYNASTY = re.compile("(?:[秦隋唐宋辽金元明清汉]|[东西][周汉晋]|[南北]宋|北魏|春秋|战国)[朝代]|[南北]宋|[东西]汉")
_SHORT_FORM = re.compile(
    rf"\s?[（(](?:以下)?(?P<says>简称|缩写|又称)?为?[：:]?\s?[“「\"]?(?P<form>{_C}{{2,8}}|[A-Za-z][A-Za-z0-9-]{{1,11}})[”」\"]?\s?[）)]"
)
_LEAST_OFTEN = 3
_LONGEST_TERM = 6
_COUNTS = re.compile("[次个两几一二三四五六七八九十百千]")

_PATTERNS = (
    (_TITLE, EntityKind.WORK),
    (_QUOTED, EntityKind.NAME),
    (_FOREIGN, EntityKind.PERSON),
    (_FOREIGN_WITHOUT_DOT, EntityKind.NAME),
    (_AFTER_OFFICE, EntityKind.PERSON),
    (_BEFORE_OFFICE, EntityKind.PERSON),
    (_ACTS, EntityKind.PERSON),
    (_KNOWN_PLACE, EntityKind.PLACE),
    (_DYNASTY, EntityKind.NAME),
)


def find_chinese_names(text: str) -> list[Mention]:
    """The names of a text in their order, none within another: the longer one stays."""
    simple = simplify(text)
    spans = [
        (*match.span(1 if pattern.groups else 0), kind)
        for pattern, kind in _PATTERNS
        for match in pattern.finditer(simple)
    ]
    spans += _cut_back(simple, _BEFORE_ORGANISATION, EntityKind.ORGANISATION)
    spans += _cut_back(simple, _BEFORE_PLACE, EntityKind.PLACE)
    spans += _cut_back(simple, _DOER, EntityKind.NAME)
    spans += _cut_back(simple, _OWNER, EntityKind.NAME)
    # Last: where as long, the others know more of it.
    spans += [(*match.span(), EntityKind.NAME) for term in _often(simple) for match in re.finditer(term, simple)]
    return [
        Mention(text[start:end], kind, start, end, _short_form(simple, end)) for start, end, kind in _apart(spans)
    ]


def _cut_back(simple: str, pattern: re.Pattern, kind: EntityKind) -> list[tuple[int, int, EntityKind]]:
    """Names known by where they end, cut back to where they begin."""
    found = []
    for match in pattern.finditer(simple):
        start, end = match.span(1 if pattern.groups else 0)
        for cut in _BREAK.finditer(simple, start, end - 1):
            start = cut.end()
        if end - start > 1 and simple[start:end] not in _NO_NAMES:
            found.append((start, end, kind))
    return found


def _often(simple: str) -> list[str]:
    """Strings that a text holds again and again and that are part of no longer one as frequent."""
    counts: Counter[str] = Counter()
    for run in re.findall(f"{_C}+", simple):
        for piece in filter(None, _BREAK.split(run)):
            for size in range(2, min(_LONGEST_TERM, len(piece)) + 1):
                counts.update(piece[at : at + size] for at in range(len(piece) - size + 1))
    often = {term: count for term, count in counts.items() if count >= _LEAST_OFTEN and _is_term(term)}
    return [
        term
        for term, count in often.items()
        if not any(term != other and term in other and often[other] == count for other in often)
    ]


def _is_term(term: str) -> bool:
    return term not in _NO_NAMES and _COUNTS.match(term) is None


def _short_form(simple: str, end: int) -> str:
    """What stands in brackets behind a name and is said to be its short form, or is an English
    abbreviation; empty for any other remark."""
    match = _SHORT_FORM.match(simple, end)
    if match is None:
        return ""
    form = match["form"]
    is_abbreviation = form.isascii() and sum(char.isupper() for char in form) > 1
    return form if match["says"] or is_abbreviation else ""


def _apart(spans: list[tuple[int, int, EntityKind]]) -> list[tuple[int, int, EntityKind]]:
    taken: list[tuple[int, int, EntityKind]] = []
    for span in sorted(spans, key=lambda s: (s[0] - s[1], s[0])):
        if all(span[1] <= other[0] or span[0] >= other[1] for other in taken):
            taken.append(span)
    return sorted(taken, key=lambda s: s[0])
